"""The shape of a report before it is HTML: numbers and words, nothing else.

Here: the frozen values that a page consists of, from a table cell up to the whole report.
Not here: what they say (headline.py, sections/), how they look (render.py, templates/).

Text in these values is plain text that may hold anything a client file can hold; whoever renders it escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import Audience
from mmm_engine.scores.verdict import Judgement

Cell = str | float | None
CellKind = Literal[
    "text", "amount", "name", "code", "date", "number", "price", "count", "share", "signed", "ratio", "fine"
]
Tone = Literal["good", "care", "bad", "plain"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        label: Heading, with the unit where the cells have one.
        kind: How a cell is written ("share" is a fraction shown as a percentage, "amount" a number that is text
            already and aligns like one).
    """

    label: str
    kind: CellKind = "number"

    @property
    def numeric(self) -> bool:
        """Whether cells keep their value for sorting and CSV."""
        return self.kind not in {"text", "amount", "name", "code", "date"}

    @property
    def aligned(self) -> bool:
        """Whether cells align to the right."""
        return self.numeric or self.kind == "amount"


@dataclass(frozen=True)
class Table:
    """Rows with a caption; the first column heads its row.

    Attributes:
        caption: What the table shows, one phrase.
        columns: Its columns.
        rows: Cells in column order; None and NaN are written as "not defined".
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def written(self) -> list[list[str]]:
        """All cells as text."""
        return [
            [write_cell(cell, c.kind) for cell, c in zip(row, self.columns, strict=True)] for row in self.rows
        ]


@dataclass(frozen=True)
class Note:
    """One remark with a tone, such as a data finding or a failed check."""

    tone: Tone
    title: str
    text: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Points:
    """Sentences, one below the other."""

    id: str
    title: str
    points: tuple[str, ...]
    kind: Literal["points"] = "points"


@dataclass(frozen=True)
class Notes:
    """A short list of remarks under one heading."""

    id: str
    title: str
    items: tuple[Note, ...]
    kind: Literal["notes"] = "notes"


@dataclass(frozen=True)
class Chart:
    """One chart: its reading in words, the table behind it, and what its figure is drawn from.

    Attributes:
        id: Unique on the page.
        figure: Name in ``figures.FIGURES``.
        title: What is shown, one phrase.
        reading: One or two sentences computed from the numbers.
        table: Every number of the chart.
        frames: Keyword arguments of the figure that are frames.
        options: Its other keyword arguments.
    """

    id: str
    figure: str
    title: str
    reading: str
    table: Table
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)
    options: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True)
class Sheet:
    """A table that is read as such, not one behind a chart.

    Attributes:
        id: Unique on the page.
        title: What it shows, one phrase.
        reading: One or two sentences computed from the numbers.
        table: The table.
        is_folded: Whether it is closed until a reader opens it.
        choose: Heading of a column; a reader chooses which of its values is shown. "" shows all rows.
    """

    id: str
    title: str
    reading: str
    table: Table
    is_folded: bool = False
    choose: str = ""
    kind: Literal["sheet"] = "sheet"


@dataclass(frozen=True)
class Slider:
    """What one channel gets, as a share of today's.

    Attributes:
        name: Label of the channel.
        today: Money of the window today.
        plan: Share of today's that the plan gives it.
        seen: Share up to which no period gets more than the most ever seen.
        fixed: Whether it goes on as today, because the model cannot read it.
    """

    name: str
    today: float
    plan: float
    seen: float
    fixed: bool


@dataclass(frozen=True)
class Sliders:
    """Plans to be tried out on the page, which answers from gains that it holds.

    Attributes:
        id: Unique on the page.
        title: What can be tried.
        reading: What the answers are.
        unit: What stands before and behind a gain (`numbers.around`).
        money: The same for an amount of money.
        sliders: One per channel.
        grid: Output of ``decisions.plan_grid.gain_grid``, its channels in the order of the sliders.
        net: Whether gains are net of the money spent more.
    """

    id: str
    title: str
    reading: str
    unit: tuple[str, str]
    money: tuple[str, str]
    sliders: tuple[Slider, ...]
    grid: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    net: bool = False
    kind: Literal["sliders"] = "sliders"


Item = Chart | Sheet | Sliders | Notes | Points


@dataclass(frozen=True)
class Section:
    """A titled part of the page.

    Attributes:
        id: Anchor.
        title: Heading.
        short: Words in the navigation.
        lead: What question this part answers, one sentence.
        items: Charts, tables and notes, top to bottom.
        on_phone: Items that a phone shows; the rest is closed until somebody opens it. None shows all.
    """

    id: str
    title: str
    short: str
    lead: str
    items: tuple[Item, ...]
    on_phone: int | None = None


@dataclass(frozen=True)
class Headline:
    """One of the numbers on the first screen."""

    label: str
    value: str
    unit: str
    detail: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes:
        verdict: The overall judgement.
        because: Why, in one or two sentences.
        headlines: The numbers that matter.
        changes: What moved since the last refresh; empty when no earlier refresh is known.
        changes_since: When that refresh was, "" when unknown.
        failed: Failed checks, errors first; windows that fail one check share a remark.
        checks_failed: How many checks that are; one that several windows fail counts once.
        warnings: Plain statements that must not be missed ("the naive forecast wins").
        checks_total: Number of checks that were run.
        not_judged: Checks that had nothing to judge, with the reason.
        advice: What to do with the coming budget, or that nothing may be done; "" when no budget was planned.
        channels: What that means for each channel; None where there is no advice.
    """

    verdict: Judgement
    because: str
    headlines: tuple[Headline, ...]
    changes: tuple[str, ...]
    changes_since: str
    failed: tuple[Note, ...]
    checks_failed: int
    warnings: tuple[str, ...]
    checks_total: int
    not_judged: tuple[str, ...] = ()
    advice: str = ""
    channels: Table | None = None


@dataclass(frozen=True)
class ReportContent:
    """Everything a report says.

    Attributes:
        client: Client id as a reader sees it.
        title: Title of the page.
        subtitle: Target, period and date range.
        recorded: When the refresh ran.
        audience: Who it is written for.
        summary: The first screen.
        sections: Main parts, in reading order.
        diagnostics: Relative address of the analyst's report of the same refresh, "" without a link.
    """

    client: str
    title: str
    subtitle: str
    recorded: str
    audience: Audience
    summary: Summary
    sections: tuple[Section, ...]
    diagnostics: str = ""

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts of the page, top to bottom."""
        items = (item for section in self.sections for item in section.items)
        return tuple(item for item in items if isinstance(item, Chart))


def write_cell(cell: Cell, kind: CellKind) -> str:
    """A table cell as text.

    >>> write_cell(0.0978, "share"), write_cell(1234567.0, "number"), write_cell(None, "ratio")
    ('9.8%', '1,234,567', 'not defined')
    """
    if cell is None:
        return numbers.NOT_DEFINED
    if isinstance(cell, str):
        return wording.safe_text(cell, 600) if cell else ""
    match kind:
        case "share":
            return numbers.percent(cell)
        case "signed":
            return numbers.percent(cell, signed=True)
        case "price":
            return numbers.price(cell)
        case "ratio":
            return numbers.decimal(cell)
        case "fine":
            return numbers.decimal(cell, 3)
        case "count":
            return numbers.decimal(cell, 0)
        case _:
            return numbers.grouped(cell)


def table_of(frame: pd.DataFrame, caption: str, columns: Mapping[str, Column]) -> Table:
    """A table from a tidy frame.

    Args:
        frame: The rows, in the order to show.
        caption: What the table shows.
        columns: Frame column to table column, left to right.
    """
    cells = [_cells(frame[name], column) for name, column in columns.items()]
    return Table(caption, tuple(columns.values()), tuple(zip(*cells, strict=True)))


def _cells(values: pd.Series, column: Column) -> Sequence[Cell]:
    if column.kind == "date":
        return [f"{date:%Y-%m-%d}" for date in pd.to_datetime(values)]
    if not column.numeric:
        return [str(value) for value in values]
    return [None if pd.isna(value) else float(value) for value in values]
