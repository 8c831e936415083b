"""Warnings about rows that satisfy the contract but deserve a look.

Here: one function for each kind of finding.
Not here: what a finding is (finding.py), money and counts of media (media_findings.py), what stops a client
(contract.py), verdicts about a fitted model (scores/gates.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmm_engine.client.config import ClientConfig
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.contract import BELOW_ZERO_MAX
from mmm_engine.rows.feedback import FOLLOWS_T, spend_following_sales
from mmm_engine.rows.finding import Finding
from mmm_engine.rows.level_steps import level_steps
from mmm_engine.rows.lift_windows import lift_window, media_range
from mmm_engine.rows.media_findings import (
    counts_taken_for_money_findings,
    idle_media_findings,
    in_micros_findings,
    lone_peak_findings,
    mirror_findings,
    unpaid_media_findings,
)
from mmm_engine.rows.outliers import (
    is_rare,
    outliers,
    recurring_outliers,
    words_of_outliers,
    words_of_recurring,
)
from mmm_engine.rows.parameter_count import count_parameters
from mmm_engine.rows.part_rows import is_unfinished, rows_to_come, running_totals
from mmm_engine.rows.regressors import Regressors, residual
from mmm_engine.rows.suggestions import straight_line, weekly_rhythm, yearly_cycle
from mmm_engine.rows.thin_evidence import thin_evidence

CORRELATION_MAX = 0.95
VIF_MAX = 10.0
ROWS_PER_PARAMETER_MIN = 3.0
JUMP_RATIO = 5.0
FROZEN_PERIODS = 4
SIGN_T = 3.0  # t value beyond which a control clearly moves against the sign it may have

_JUMP_SIDE = 8  # values needed on both sides of a jump of level


def find_warnings(
    config: ClientConfig, frame: pd.DataFrame, calendar: Calendar, today: datetime.date
) -> list[Finding]:
    """Every finding about rows that satisfy the contract, in the order of the functions below.

    Args:
        config: Settings of the client.
        frame: Checked rows: ``date``, then float64 columns under their own names, ascending.
        calendar: Dates of the rows and their period.
        today: The day after which nothing has happened yet.
    """
    rows = Regressors(config, frame, calendar)
    finders = (
        _unfinished_last_row, _running_totals, _target_outliers, _recurring_outliers, _level_steps, _short_season,
        _zero_target, _negative_target, unpaid_media_findings, idle_media_findings,
        counts_taken_for_money_findings, in_micros_findings, lone_peak_findings, mirror_findings, _correlated_channels,
        _spend_following_sales, _inflated_variances, _few_rows_per_parameter, _level_jumps, _frozen_tails,
        _constant_in_training, thin_evidence, _controls_against_sign, _unmodelled_terms, _unseen_events,
        _doubtful_lift_tests,
    )  # fmt: skip
    return [*_rows_to_come(rows, today), *(finding for find in finders for finding in find(rows))]


def _rows_to_come(rows: Regressors, today: datetime.date) -> Iterator[Finding]:
    """A plan that was pasted below the rows, or a wrong year."""
    if count := rows_to_come(rows, today):
        first = rows.day(len(rows) - count)
        message = f"after today ({today}) in {count} of {len(rows)} rows, from {first}: they count as if they had come"
        fix = "delete what is only planned ('forecast.plan' names a file of planned media), or correct the dates"
        yield Finding("rows-to-come", "warning", rows.config.date, message, fix)


def _unfinished_last_row(rows: Regressors) -> Iterator[Finding]:
    """A file that was exported before its last period was over."""
    if is_unfinished(rows):
        last, least = rows.target[-1], rows.target[:-1].min()
        message = (
            f"the last row ({rows.day(len(rows) - 1)}) has {_amount(last)}, {last / least:.0%} of the least of all "
            f"rows before ({_amount(least)}): the {rows.calendar.period} may not have been over at the export"
        )
        fix = "leave the last row out until it is complete; if it is, name what happened as an event"
        yield Finding("unfinished-row", "warning", rows.config.target.column, message, fix)


def _running_totals(rows: Regressors) -> Iterator[Finding]:
    """Columns that add up what came before: each row would count everything again."""
    for column in running_totals(rows):
        anew = " but to begin anew" if (np.diff(rows.values(column)) < 0).any() else ""
        message = f"never falls{anew}, as a running total does"
        fix = f"export what belongs to each {rows.calendar.period} alone, not the sum up to it"
        yield Finding("running-total", "warning", column, message, fix)


def _target_outliers(rows: Regressors) -> Iterator[Finding]:
    """Rows whose target neither trend, season, controls nor the same time of another year explain."""
    outlying = outliers(rows)
    if is_unfinished(rows):
        outlying.pop(len(rows) - 1, None)  # it has a finding of its own
    if outlying:
        fix = "check these rows; for a real one-off add a 0/1 control that is 1 in them"
        if rows.config.model.likelihood_name == "Normal":
            fix += ", or set 'likelihood: student_t' under 'model', which bends less towards them"
        message = words_of_outliers(rows, outlying)
        yield Finding("target-outlier", "warning", rows.config.target.column, message, fix)


def _recurring_outliers(rows: Regressors) -> Iterator[Finding]:
    """Sales days that come every year, or a slip that came again: a smooth season follows neither."""
    recurring = recurring_outliers(rows)
    if recurring:
        days = ", ".join(rows.day(index) for index in list(recurring)[:3]) + (
            ", …" if len(recurring) > 3 else ""
        )
        fix = (
            f"name days that come again, planned ones too, as an event ('events: {{peak: [{days}]}}' under 'model'); "
            "correct the rows if a slip came again"
        )
        message = words_of_recurring(rows, recurring)
        yield Finding("recurring-outlier", "warning", rows.config.target.column, message, fix)


def _level_steps(rows: Regressors) -> Iterator[Finding]:
    """Changes of level that a smooth baseline cannot follow: a channel may take their place."""
    steps = level_steps(rows)
    if steps:
        listed = ", ".join(f"{step.size:+,.4g} on {rows.day(step.row)}" for step in steps)
        message = (
            f"the level changes at once and stays ({listed}), beside trend, season, channels and controls"
        )
        fix = (
            "add a control that is 1 in the rows of the new level and 0 in all others; without it a channel, or a "
            "baseline that moves, takes the change for its own"
        )
        yield Finding("level-step", "warning", rows.config.target.column, message, fix)


def _short_season(rows: Regressors) -> Iterator[Finding]:
    """A yearly cycle that was seen less than twice: what happened once is taken for a season."""
    order, year = rows.config.model.yearly_seasonality, rows.calendar.periods_per_year
    if order is not None and len(rows) < 2 * year:
        message = (
            f"the yearly cycle (order {order}) is learnt from {len(rows)} rows, {len(rows) / year:.1f} years: "
            "what happened once counts as a season"
        )
        fix = (
            "leave 'yearly_seasonality' out until there are two years of rows, or give it less room with "
            "'priors: {gamma_fourier: {distribution: Laplace, mu: 0, b: 0.1}}' under 'model'"
        )
        yield Finding("short-season", "warning", rows.config.target.column, message, fix)


def _zero_target(rows: Regressors) -> Iterator[Finding]:
    zeros = np.flatnonzero(rows.target == 0)
    if (
        rows.config.target.kind == "revenue" and len(zeros) and not is_rare(rows)
    ):  # that has a finding of its own
        message = f"revenue is 0 in {_count(zeros)}, first on {rows.day(int(zeros[0]))}"
        fix = "check whether sales were closed or the export is incomplete; MAPE is not defined for such rows"
        yield Finding("zero-target", "warning", rows.config.target.column, message, fix)


def _negative_target(rows: Regressors) -> Iterator[Finding]:
    negative = np.flatnonzero(rows.target < 0)
    if len(negative):
        message = f"revenue is negative in {_count(negative)}, first on {rows.day(int(negative[0]))}"
        fix = "put refunds into the period of their sale if the export allows it"
        # refused where the baseline cannot follow (contract.py)
        if len(negative) > BELOW_ZERO_MAX * len(rows):
            fix = "nothing if it is a net figure: the priors allow a baseline below 0"
        yield Finding("negative-target", "warning", rows.config.target.column, message, fix)


def _correlated_channels(rows: Regressors) -> Iterator[Finding]:
    names = rows.config.channel_names
    scaled = rows.standardised(names)
    correlation = scaled.T @ scaled / len(rows)
    for first, second in zip(*np.triu_indices(len(names), k=1), strict=True):
        if abs(correlation[first, second]) > CORRELATION_MAX:
            message = f"moves with '{names[first]}' (correlation {correlation[first, second]:.3f})"
            fix = "read the two together, or merge them into one channel: the data cannot tell them apart"
            yield Finding("correlated-channels", "warning", names[second], message, fix)


def _spend_following_sales(rows: Regressors) -> Iterator[Finding]:
    """Channels that are bought because sales rose: the model takes their spend for the cause."""
    for name, t in spend_following_sales(rows).items():
        if t > FOLLOWS_T:
            period = rows.calendar.period
            size = f"= {t:.1f}" if t < 1000 else "over 1,000"
            message = (
                f"follows sales: when the last {period} sold more, this {period} spends more (t {size}), "
                "all else the same"
            )
            fix = "add what drives both as a control (demand, brand searches), or measure it with a lift test"
            yield Finding("spend-follows-sales", "warning", name, message, fix)


def _inflated_variances(rows: Regressors) -> Iterator[Finding]:
    names = rows.inputs
    if len(rows) <= len(names) + 1:
        return
    scaled = rows.standardised(names)
    correlation = scaled.T @ scaled / len(rows)
    for index, name in enumerate(names):
        others = np.delete(np.arange(len(names)), index)
        if not len(others):
            return
        linked = correlation[index, others]
        solved = np.linalg.lstsq(correlation[np.ix_(others, others)], linked, rcond=None)[0]
        inflation = 1 / max(1 - float(linked @ solved), 1e-9)
        if inflation > VIF_MAX:
            nearest = names[others[np.abs(linked).argmax()]]
            size = "over 1,000" if inflation > 1000 else f"{inflation:.0f}"
            message = f"variance inflation {size}: the other columns explain it, above all '{nearest}'"
            fix = "read its effect with care, or leave out or merge columns that say the same"
            yield Finding("variance-inflation", "warning", name, message, fix)


def _few_rows_per_parameter(rows: Regressors) -> Iterator[Finding]:
    parameters = count_parameters(rows.config)
    ratio = len(rows) / parameters
    if ratio < ROWS_PER_PARAMETER_MIN:
        message = (
            f"{len(rows)} rows for {parameters} parameters ({ratio:.1f} each); effects will lean on priors"
        )
        fix = "add history, merge small channels or drop controls"
        yield Finding("few-rows", "warning", "", message, fix)


def _level_jumps(rows: Regressors) -> Iterator[Finding]:
    """Columns whose level changes at once and for good, as when the unit of an export changes."""
    for column in (rows.config.target.column, *rows.inputs, *rows.config.cost_names):
        values = rows.values(column)
        positive = np.flatnonzero(values > 0)
        if len(positive) < 2 * _JUMP_SIDE or len(np.unique(values)) <= 2:
            continue
        logs = np.log(values[positive])
        # where the running sum of deviations peaks is where a change of level splits best
        split = int(np.abs(np.cumsum(logs - logs.mean()))[_JUMP_SIDE - 1 : -_JUMP_SIDE].argmax()) + _JUMP_SIDE
        before, after = logs[:split], logs[split:]
        change = float(np.median(after) - np.median(before))
        at_once = float(np.median(after[:4]) - np.median(before[-4:]))
        low, high = (before, after) if change > 0 else (after, before)
        apart = np.quantile(low, 0.9) < np.quantile(high, 0.1)
        if abs(change) >= np.log(JUMP_RATIO) and at_once * np.sign(change) >= np.log(JUMP_RATIO) and apart:
            ratio = f"× {np.exp(change):.3g}" if change > 0 else f"÷ {np.exp(-change):.3g}"
            message = f"the usual level changes at once ({ratio}) on {rows.day(int(positive[split]))}"
            fix = "check whether the unit or the source changed; bring the whole column to one unit"
            yield Finding("level-jump", "warning", column, message, fix)


def _frozen_tails(rows: Regressors) -> Iterator[Finding]:
    """Columns that end in a longer run of one value than they ever had before."""
    for column in (rows.config.target.column, *rows.inputs, *rows.config.cost_names):
        values = rows.values(column)
        is_target = column == rows.config.target.column
        if values[-1] == 0 and not is_target:
            continue  # a channel that was switched off
        if len(np.unique(values)) <= 2:
            continue  # an on/off column
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        lengths = np.diff(np.concatenate([starts, [len(values)]]))
        alike = lengths[values[starts] != 0] if values[-1] != 0 else lengths
        if lengths[-1] >= FROZEN_PERIODS and lengths[-1] > alike[:-1].max(initial=1):
            since = rows.day(int(starts[-1]))
            message = (
                f"the value {_amount(values[-1])} does not move any more since {since} ({lengths[-1]} rows)"
            )
            fix = "check whether the export still fills this column"
            yield Finding("frozen-tail", "warning", column, message, fix)


def _constant_in_training(rows: Regressors) -> Iterator[Finding]:
    for column in rows.inputs:
        values = rows.values(column)
        windows = [
            window.name
            for window in STANDARD_WINDOWS
            if window.holdout and np.ptp(values[: window.train_rows(rows.calendar.period, len(values))]) == 0
        ]
        if windows:
            is_zero = values[0] == 0
            effect = "is taken for 0" if is_zero else "is its prior's"
            message = f"does not vary in the training rows of {', '.join(windows)}: its effect there {effect}"
            fix = "read this column from window full only"
            yield Finding("constant-in-window", "warning", column, message, fix)


def _controls_against_sign(rows: Regressors) -> Iterator[Finding]:
    """Controls that clearly move the target the way their prior rules out."""
    config = rows.config
    signs = {"positive": 1, "negative": -1}
    controls = [control for control in config.controls if control.effect in signs]
    others = np.column_stack([rows.trend(), rows.yearly(), rows.standardised(config.channel_names)])
    design = np.column_stack([others, rows.standardised(config.control_names)])
    spare = len(rows) - design.shape[1]
    target = rows.target / np.abs(rows.target).max()
    unexplained = residual(target, design)
    if spare < 5 or not unexplained.any():
        return
    variances = np.diag(np.linalg.pinv(design.T @ design)) * (unexplained @ unexplained) / spare
    effects = np.linalg.lstsq(design, target, rcond=None)[0]
    position = {name: others.shape[1] + index for index, name in enumerate(config.control_names)}
    for control in controls:
        at, sign = position[control.column], signs[control.effect]
        t = effects[at] / np.sqrt(variances[at]) if variances[at] > 0 else 0.0
        together = float(np.corrcoef(design[:, at], target)[0, 1])
        if sign * t < -SIGN_T and sign * together < 0:
            message = f"moves against the target (t = {t:.1f}) but only a {control.effect} effect is allowed"
            fix = f"write {{column: {control.column}, effect: any}} in the client file, or leave it out"
            yield Finding("control-sign", "warning", control.column, message, fix)


def _unmodelled_terms(rows: Regressors) -> Iterator[Finding]:
    """Terms of the calendar that the rows ask for and the model does not have."""
    for suggest in (yearly_cycle, weekly_rhythm, straight_line):
        for one in suggest(rows):
            fix = f"set '{one.written}' under 'model' in the client file"
            yield Finding(one.code, "note", rows.config.target.column, one.reason, fix)


def _unseen_events(rows: Regressors) -> Iterator[Finding]:
    """Events without a day in the rows that a window learns from, and those that nothing tells from something else."""
    earlier: dict[bytes, str] = {}
    for event in rows.config.model.events:
        seen = rows.within(event)
        alike = earlier.setdefault(seen.tobytes(), event.name)
        if seen.all() or (alike != event.name and seen.any()):
            other = "no row without it" if seen.all() else f"the same rows as '{alike}'"
            message = f"the event '{event.name}' has {other}: nothing tells their effects apart"
            fix = "leave one of them out" if not seen.all() else "leave it out, or correct its days"
            yield Finding("event-inseparable", "warning", "", message, fix)
        period = rows.calendar.period
        windows = [
            window for window in STANDARD_WINDOWS if not seen[: window.train_rows(period, len(rows))].any()
        ]
        if windows:
            names = ", ".join(window.name for window in windows)
            where = "the rows" if FULL in windows else f"the training rows of {names}"
            message = f"the event '{event.name}' has no day in {where}: its effect there is its prior's"
            fix = (
                "list all days of its kind under one name, or give 'event_effect_size' a narrow prior ({distribution: "
                "Normal, mu: 0, sigma: 2}): forecasts of its rows are else as wide as sales themselves"
            ) + ("" if FULL in windows else ", and 'holdout_skill' may fail")
            yield Finding("event-unseen", "warning", "", message, fix)


def _doubtful_lift_tests(rows: Regressors) -> Iterator[Finding]:
    """Lift tests that count later, reach beyond the rows, or say what no curve can follow."""
    for number, test in enumerate(rows.config.lift_tests, start=1):
        name = f"lift test {number} ({test.date})"
        media = rows.values(test.channel)
        window, begun = lift_window(test, rows.calendar), rows.calendar.row_of(test.date) is not None
        if window is None and begun:
            message = f"{name} reaches beyond the last row and does not count yet"
            fix = "nothing, if these rows are still to come; else correct its end or cool_down"
            yield Finding("lift-test-outside", "warning", test.channel, message, fix)
        elif window is None:
            message = f"{name} lies outside the rows and does not count"
            fix = "nothing, if the rows of its period are still to come; else correct the date"
            yield Finding("lift-test-outside", "warning", test.channel, message, fix)
        reach, largest = media_range(test, media, window)[1], float(media.max())
        if reach > 1.000001 * largest:
            message = f"{name} goes to {_amount(reach)}, the channel never beyond {_amount(largest)}"
            fix = "check the unit; if it is right, the test alone says how the curve goes on there"
            yield Finding("lift-test-range", "warning", test.channel, message, fix)
        if test.delta_x * test.delta_y < 0:
            step = "more" if test.delta_x > 0 else "less"
            message = f"{name} says that {step} of the channel had the opposite effect"
            fix = "check the signs of delta_x and delta_y: response curves only rise"
            yield Finding("lift-test-sign", "warning", test.channel, message, fix)


def _count(indices: NDArray[np.intp]) -> str:
    return f"{len(indices)} {'row' if len(indices) == 1 else 'rows'}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
