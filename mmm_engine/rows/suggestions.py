"""Settings that the rows ask for: terms of the model that would explain much of what it leaves open.

Here: one function for each suggestion, with the figure that speaks for it.
Not here: findings for the reader (findings.py), writing a client file (client/client_file.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import yaml

from mmm_engine.array_types import Floats
from mmm_engine.rows.outliers import is_rare, outliers, words_of_outliers
from mmm_engine.rows.regressors import Regressors, residual

UNMODELLED_MIN = 0.25  # share of what is left unexplained that a yearly cycle, or a straight line, takes away
PLAIN_CYCLE_MIN = 0.5  # the same for a yearly cycle beside trend and controls alone
LEAST_ORDER, LARGEST_ORDER = 2, 10  # of a yearly cycle; the largest is that of the client file
WEEKDAYS = 6  # effects of seven days that add up to zero


@dataclass(frozen=True)
class Suggestion:
    """A setting of the section ``model`` that the rows ask for.

    Attributes:
        code: Kind of suggestion, stable across versions.
        setting: Name of the setting.
        value: What it would be.
        reason: What in the rows speaks for it, with figures.
    """

    code: str
    setting: str
    value: object
    reason: str

    @property
    def written(self) -> str:
        """The setting as a line of the client file: ``yearly_seasonality: 2``."""
        value: str = yaml.safe_dump(self.value, default_flow_style=True)
        return f"{self.setting}: {value.removesuffix('...\n').strip()}"


def suggestions(rows: Regressors) -> tuple[Suggestion, ...]:
    """Every setting that the rows ask for and the client file does not have."""
    return tuple(
        one for suggest in (yearly_cycle, weekly_rhythm, straight_line, heavy_tails) for one in suggest(rows)
    )


def yearly_cycle(rows: Regressors) -> Iterator[Suggestion]:
    """A yearly cycle of the target that neither inputs nor the model's settings account for.

    Channels with a season of their own may account for it by chance, in a regression that lets them have any effect:
    a cycle that is plain without them is suggested too. Its order is the best by Schwarz's criterion (see
    `weekly_rhythm`), at least 2.
    """
    model = rows.config.model
    yearly = rows.yearly()
    if model.yearly_seasonality is not None or model.time_varying_intercept or not yearly.shape[1]:
        return
    controls = np.column_stack([rows.standardised(rows.config.control_names), rows.events(), rows.holidays()])
    has_days = controls.shape[1] > len(rows.config.control_names)
    told = ", controls and days that are named" if has_days else " and controls"
    without_channels = np.column_stack([rows.trend(), controls])
    with_channels = np.column_stack([without_channels, rows.standardised(rows.config.channel_names)])
    order = _best_order(rows, without_channels)
    for design, least, words in (
        (with_channels, UNMODELLED_MIN, f"trend, channels{told}"),
        (without_channels, PLAIN_CYCLE_MIN, f"trend{told}"),
    ):
        gain = _gain(rows, design, rows.yearly(order))
        if gain > least and _gain(rows, design, yearly) > least / 2:
            reason = f"a yearly cycle explains {gain:.0%} of what {words} leave open"
            yield Suggestion("yearly-cycle", "yearly_seasonality", order, reason)
            return


def _best_order(rows: Regressors, design: Floats) -> int:
    """The order of a yearly cycle beside other regressors that Schwarz's criterion prefers, from 2 on."""
    count = len(rows)

    def criterion(order: int) -> float:
        gain = _gain(rows, design, rows.yearly(order))
        return float(count * np.log(max(1.0 - gain, 1e-12)) + 2 * order * np.log(count))

    return min(range(LEAST_ORDER, LARGEST_ORDER + 1), key=criterion)


def weekly_rhythm(rows: Regressors) -> Iterator[Suggestion]:
    """A rhythm of the week in daily rows that neither inputs nor the model's settings account for.

    Small effects of weekdays are sure in long series: they are worth their six parameters by the criterion of Schwarz
    (1978, doi:10.1214/aos/1176344136), n log(1 / (1 - gain)) > 6 log n.
    """
    if rows.config.model.weekly_seasonality or rows.calendar.period != "day":
        return
    design = np.column_stack([rows.line(), rows.yearly(), rows.standardised(rows.inputs)])
    gain, count = _gain(rows, design, rows.weekdays()), len(rows)
    if count * -np.log(max(1.0 - gain, 1e-12)) > WEEKDAYS * np.log(count):
        reason = (
            f"the day of the week explains {gain:.0%} of what trend, season, channels and controls leave open"
        )
        yield Suggestion("weekly-rhythm", "weekly_seasonality", True, reason)


def straight_line(rows: Regressors) -> Iterator[Suggestion]:
    """A rise or fall of the target that neither inputs nor the model's settings account for."""
    model = rows.config.model
    moves_already = (model.baseline, model.trend, model.time_varying_intercept, model.time_varying_media)
    if any(moves_already):
        return
    line = rows.line()[:, 1:]
    others = [np.ones(len(rows)), rows.weekdays(), rows.yearly(), rows.standardised(rows.inputs)]
    gain = _gain(rows, np.column_stack(others), line)
    if gain > UNMODELLED_MIN:
        reason = (
            f"a straight line over time explains {gain:.0%} of what channels, controls and season leave open"
        )
        yield Suggestion("linear-trend", "trend", {"changepoints": 5}, reason)


def heavy_tails(rows: Regressors) -> Iterator[Suggestion]:
    """Rows that stand far out of the target: a normal likelihood would bend everything towards them.

    Never of a target that is 0 in many rows: the peak of a Student-t over values that are all the same has no end, and
    a sampler does not find out of it.
    """
    if rows.config.model.likelihood_name != "Normal" or is_rare(rows):
        return
    outlying = outliers(rows)
    if outlying:
        yield Suggestion("heavy-tails", "likelihood", "student_t", words_of_outliers(rows, outlying))


def _gain(rows: Regressors, design: Floats, added: Floats) -> float:
    """Share of the target left open by some regressors that others explain; 0 with too few rows to tell."""
    if len(rows) - design.shape[1] - added.shape[1] < 5:
        return 0.0
    target = rows.target / np.abs(rows.target).max()
    without, with_more = residual(target, design), residual(target, np.column_stack([design, added]))
    return 1 - float(with_more @ with_more) / max(float(without @ without), 1e-300)
