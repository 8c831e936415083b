"""The data contract: what rows must satisfy before a model may see them.

Here: every rule whose breach stops a client, all breaches of a table at once.
Not here: files and their form (files/table.py), cells (files/cells.py, files/dates.py), warnings (findings.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mmm_engine.array_types import Days, Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.client.windows import LONGEST_WINDOW
from mmm_engine.distributions.table import DISTRIBUTIONS
from mmm_engine.errors import Fault
from mmm_engine.files.cells import Rows
from mmm_engine.files.dates import read_dates, words_of_dates
from mmm_engine.files.numbers import read_numbers
from mmm_engine.files.table import Table
from mmm_engine.files.table_form import TableForm
from mmm_engine.files.yaml_document import written
from mmm_engine.rows.blank_media import say_so, with_zeros
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.calendar_faults import calendar_faults
from mmm_engine.rows.currencies import currency_findings, one_currency, words_of_money
from mmm_engine.rows.end_rows import periods_alone
from mmm_engine.rows.finding import Finding
from mmm_engine.rows.header_faults import header_faults
from mmm_engine.rows.lift_windows import lift_window, media_range

LIFT_REACH = (
    10.0  # how far beyond the largest value of its column a lift test may lie: further is another unit
)
LIFT_ROUNDING = 0.01  # of the largest value of its column: what rounding in a report can leave below nothing
BELOW_ZERO_MAX = 0.1  # share of rows below 0 that refunds and corrections may explain
_MONTH = np.timedelta64(31, "D")  # the first row may be dated by its last day
_CONSTANT = 1e-12  # spread relative to the largest value below which a column is floating-point noise
_ROUNDED = 1e-6  # of a sum: what rounded numbers add up to beside it
_ALL_ZERO = 1e-100  # largest value below which dividing by it would overflow


@dataclass(frozen=True)
class CheckedRows:
    """Rows that satisfy the contract.

    Attributes:
        frame: ``date`` (datetime64[ns]), then the columns of the client as float64; ascending, RangeIndex.
        calendar: The dates of the rows and their period.
        findings: Notes about what was done to the rows on the way.
        form: How the table was written.
        currency: That the cells of its money carry, empty where they carry none or several.
    """

    frame: pd.DataFrame
    calendar: Calendar
    findings: tuple[Finding, ...]
    form: TableForm
    currency: str


def check_rows(config: ClientConfig, table: Table) -> tuple[CheckedRows | None, list[Fault]]:
    """The rows of a client, or every reason why they cannot be used.

    Args:
        config: Says which columns there must be and what they mean.
        table: Cells as they were read.

    Returns:
        The rows, None when there is any fault; and the faults, by column and then across columns.
    """
    table, totals = periods_alone(table, config)
    faults = list(header_faults(needed_columns(config), table))
    unusable = table.repeated | (needed_columns(config).keys() - set(table.header))
    days: Days = np.full(len(table.rows), np.datetime64("NaT", "D"))
    form = table.form
    findings = list(_form_notes(config, table))
    findings += [Finding("file-form", "note", "", note, "nothing if that is so") for note in totals]
    if config.date not in unusable:
        days, date_faults, shown = read_dates(
            table.columns[config.date], config.date, table.rows, table.form.dates
        )
        faults += date_faults
        findings += [
            Finding("date-form", "note", config.date, words, "nothing if that is so")
            for words in words_of_dates(table.columns[config.date])
        ]
        if shown is not None:
            form = replace(form, dates=shown.order)
            fix = f"check that row, or hold it with 'csv: {{dates: {shown.order}}}' in the client file"
            findings.append(Finding("date-order", "note", config.date, shown.sentence(config.date), fix))
    rows = Rows(table.rows, days)
    calendar: Calendar | None = None
    if not np.isnat(days).any():
        findings += _order_notes(config.date, rows)
        calendar, faults_of_dates = calendar_faults(config.date, rows, whole=table.whole)
        faults += faults_of_dates
        faults += _weekdays_of_longer_rows(config, calendar)
        faults += _season_of_less_than_a_year(config, calendar)
    values: dict[str, Floats] = {}
    for column, role in needed_columns(config).items():
        if column not in unusable and role != "date":
            cells, notes = with_zeros(config, table.columns[column], column, role)
            findings += notes
            mark = table.form.decimal
            is_said = config.table_form.decimal is not None
            values[column], cell_faults = read_numbers(cells, column, rows, mark, is_mark_said=is_said)
            faults += say_so(cell_faults, cells, role)
            faults += _column_faults(config, column, role, values[column], rows)
    money = words_of_money(config, table)
    findings += currency_findings(config, money)
    faults += _equal_columns(config, values, rows)
    faults += _row_of_totals(config, values, rows)
    faults += _impossible_lift_tests(config, values, rows, calendar)
    faults += _too_few_rows(config, table)
    if faults or calendar is None:
        return None, faults
    frame = _sorted_frame(days, values)
    return CheckedRows(frame, calendar, tuple(findings), form, one_currency(money)), []


def needed_columns(config: ClientConfig) -> dict[str, str]:
    """Role of every column the client needs, in the order of the client's frame."""
    roles = {config.date: "date", config.target.column: "target"}
    roles |= dict.fromkeys(config.channel_names, "channel")
    roles |= dict.fromkeys(config.control_names, "control")
    return roles | dict.fromkeys(config.cost_names, "cost")


def minimum_rows(config: ClientConfig) -> int:
    """Rows without which the longest window leaves too little to train on."""
    return 2 * LONGEST_WINDOW.holdout + config.longest_lag


def _form_notes(config: ClientConfig, table: Table) -> Iterator[Finding]:
    """How the file turned out to be written, where the client file does not say it, and what was passed over."""
    said = config.table_form
    told = TableForm(
        separator=None if said.separator else table.form.separator,
        decimal=None if said.decimal else table.form.decimal,
        encoding=None if said.encoding else table.form.encoding,
        sheet=None if said.sheet else table.form.sheet,
    ).beside_the_plain()
    hold = [told.written()] if told != TableForm(sheet=told.sheet) else []
    hold += [] if told.sheet is None else [f"sheet: {written(told.sheet)}"]
    for words in told.words():
        fix = f"nothing if that is so; '{', '.join(hold)}' in the client file holds it"
        yield Finding("file-form", "note", "", words, fix)
    for note in table.notes:
        yield Finding("file-form", "note", "", note, "nothing if that is so")


def _order_notes(column: str, rows: Rows) -> list[Finding]:
    """A note when rows have to be sorted."""
    backwards = np.flatnonzero(np.diff(rows.days) < np.timedelta64(0, "D"))
    if not len(backwards):
        return []
    message = (
        f"rows were not in order of date, first at {rows.label(int(backwards[0]) + 1)}; they were sorted"
    )
    return [Finding("unsorted", "note", column, message, "nothing, unless the order itself is a surprise")]


def _season_of_less_than_a_year(config: ClientConfig, calendar: Calendar | None) -> Iterator[Fault]:
    if config.model.yearly_seasonality is not None and calendar is not None:
        rows, year = len(calendar.days), calendar.periods_per_year
        if rows < year:
            where, found = "setting 'model.yearly_seasonality'", f"{rows} rows by {calendar.period}"
            fix = "delete the setting until there are two years of rows"
            yield Fault(where, found, f"a year of rows at least ({year}): a cycle is what comes again", fix)


def _weekdays_of_longer_rows(config: ClientConfig, calendar: Calendar | None) -> Iterator[Fault]:
    if config.model.weekly_seasonality and calendar is not None and calendar.period != "day":
        where, found = "setting 'model.weekly_seasonality'", f"rows by {calendar.period}"
        yield Fault(where, found, "daily rows: others hold all days of the week", "delete the setting")


def _column_faults(
    config: ClientConfig, column: str, role: str, values: Floats, rows: Rows
) -> Iterator[Fault]:
    """Values that are numbers but cannot be true, or from which nothing can be learnt."""
    counted = role == "target" and config.target.kind == "conversions"
    ends_at_zero = role == "target" and config.model.likelihood_name == "TruncatedNormal"
    negative = np.flatnonzero(values < 0)
    if len(negative) and (counted or ends_at_zero or role in ("channel", "cost")):
        found = f"{values[negative[0]]:g}{rows.others(negative)}"
        fix = "put refunds and corrections into the period they belong to, or write 0"
        if role in ("channel", "cost") and len(negative) > len(values) / 2:
            fix = "turn the sign of the column; what sells less (competitors) is a control with 'effect: negative'"
        fix += ", or choose another likelihood" if ends_at_zero else ""
        yield Fault(rows.place(column, int(negative[0])), found, "0 or more", fix)
    if len(values) < 2 or np.isnan(values).any():
        return
    if role == "target" and not counted and not ends_at_zero:
        yield from _below_zero(config, column, values, rows)
    everywhere = f"column '{column}', all rows from {rows.label(0)}"
    if np.abs(values).max() < _ALL_ZERO:
        fix = _REMEDIES_OF_ZEROS.get(role, "export the column again")
        yield Fault(everywhere, "0 in every row", "a column that varies", fix)
    elif role != "cost" and np.ptp(values) <= _CONSTANT * np.abs(values).max():
        fix = _DROP_IT if role in ("channel", "control") else "export the column again"
        yield Fault(everywhere, f"{values[0]:g} in every row", "a column that varies", fix)


def _below_zero(config: ClientConfig, column: str, values: Floats, rows: Rows) -> Iterator[Fault]:
    """A target whose level is not clearly above 0, for a baseline that cannot be below it."""
    negative = np.flatnonzero(values < 0)
    if not len(negative) or (len(negative) < BELOW_ZERO_MAX * len(values) and values.mean() > 0):
        return
    written = config.model.priors.get("intercept", {})
    family = DISTRIBUTIONS.get(str(written.get("distribution", "HalfNormal")))
    lower = written.get("lower", -np.inf)
    ends = {"real": -np.inf, "interval": lower if isinstance(lower, int | float) else -np.inf}
    if family is not None and ends.get(family.support, 0.0) < 0:
        return
    found = f"{len(negative)} of {len(values)} rows below 0, first {rows.label(int(negative[0]))}"
    fix = (
        "explain a gross figure instead of a net one (sales without refunds, inflows without outflows), or allow a "
        "baseline of either sign with 'priors: {intercept: {distribution: Normal, mu: 0, sigma: 1}}' under 'model'"
    )
    yield Fault(f"column '{column}'", found, "a target above 0: its baseline has a sign", fix)


_DROP_IT = "leave it out of the client file: nothing can be learnt about its effect"


_REMEDIES_OF_ZEROS = {
    "channel": _DROP_IT,
    "control": _DROP_IT,
    "cost": "leave 'cost' out of the client file: a channel that no money buys has none; else export the column again",
}


def _row_of_totals(config: ClientConfig, values: Mapping[str, Floats], rows: Rows) -> Iterator[Fault]:
    """A row whose target and channels are the sums of all others: a total that was given a date."""
    columns = [values[name] for name in (config.target.column, *config.channel_names) if name in values]
    varied = [cells for cells in columns if not np.isnan(cells).any() and np.any(cells)]
    if len(varied) < 2 or len(varied[0]) <= 2:
        return
    table = np.column_stack(varied)
    sums = table.sum(axis=0) - table
    totals = np.flatnonzero((np.abs(table - sums) <= _ROUNDED * np.abs(sums)).all(axis=1))
    if len(totals):
        found = f"the sum of all other rows in {len(varied)} columns"
        yield Fault(rows.label(int(totals[0])), found, "one row a period", "delete the row of totals")


def _equal_columns(config: ClientConfig, values: Mapping[str, Floats], rows: Rows) -> Iterator[Fault]:
    """Channels that repeat another channel, channels and controls that repeat the target."""
    varied = {column: cells for column, cells in values.items() if len(cells) > 1 and np.ptp(cells) > 0}
    channels = [column for column in config.channel_names if column in varied]
    for position, column in enumerate(channels):
        twin = next(
            (other for other in channels[:position] if np.array_equal(varied[other], varied[column])), None
        )
        if twin is not None:
            found = f"the same values as in column '{twin}'"
            fix = "leave one of the two out: their effects cannot be told apart"
            yield Fault(f"column '{column}', all rows from {rows.label(0)}", found, "another channel", fix)
    target = config.target.column
    for column in (*channels, *config.control_names):
        if target in varied and column in varied and np.array_equal(varied[target], varied[column]):
            found = f"the same values as in the target '{target}'"
            fix = "name the right column in the client file"
            yield Fault(f"column '{column}', all rows from {rows.label(0)}", found, "another column", fix)


def _impossible_lift_tests(
    config: ClientConfig, values: Mapping[str, Floats], rows: Rows, calendar: Calendar | None
) -> Iterator[Fault]:
    """Lift tests before the first row, or far outside what was ever spent: mostly another unit or another period."""
    days = rows.days[~np.isnat(rows.days)]
    order = np.argsort(rows.days, kind="stable")
    for number, test in enumerate(config.lift_tests, start=1):
        where = f"lift test {number} of '{test.channel}' ({test.date})"
        if len(days) and np.datetime64(test.date) < days.min() - _MONTH:
            wanted = f"a date within the rows, {days.min()} to {days.max()}"
            yield Fault(where, test.date, wanted, "correct the date, or leave the test out")
        media = values.get(test.channel, np.full(len(order), np.nan))[order]
        window = None if calendar is None else lift_window(test, calendar)
        lowest, highest = media_range(test, media, window)
        largest = float(np.nanmax(media, initial=0.0))
        if largest > 0 and highest > LIFT_REACH * largest:
            found = f"delta_x {test.delta_x:g}"
            if test.x is not None:
                found = f"x from {test.x:g} to {test.x + test.delta_x:g}"
            found += "" if test.share == 1 else f" in a share of {test.share:g}"
            wanted = f"at most {LIFT_REACH:g} times the largest value of the column, {largest:g}"
            yield Fault(where, found, wanted, "give x and delta_x per period, in the unit of the column")
        if lowest < -LIFT_ROUNDING * largest:
            found = f"delta_x {test.delta_x:g} without an x, which leaves {lowest:g} of the column in a row of the test"
            fix = "correct delta_x, or give x, the media in each period without the test"
            yield Fault(where, found, "0 or more without the change and with it", fix)


def _too_few_rows(config: ClientConfig, table: Table) -> Iterator[Fault]:
    count, least = len(table.rows), minimum_rows(config)
    if table.whole and count < least:
        longest = LONGEST_WINDOW.holdout
        wanted = f"at least {least} (2 × the longest window of {longest} + max_lag {config.longest_lag})"
        found = f"{count} {'row' if count == 1 else 'rows'}"
        yield Fault("all rows", found, wanted, "add history; less cannot be judged")


def _sorted_frame(days: Days, values: Mapping[str, Floats]) -> pd.DataFrame:
    order = np.argsort(days, kind="stable")
    dates = pd.DatetimeIndex(days[order].astype("datetime64[ns]"))
    return pd.DataFrame({"date": dates, **{column: cells[order] for column, cells in values.items()}})
