"""Findings about the money and the counts of media.

Here: one function for each kind, as those of findings.py.
Not here: what the columns say (spend_columns.py), spend that follows sales and channels that move together
(findings.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from mmm_engine.rows.finding import Finding
from mmm_engine.rows.regressors import Regressors
from mmm_engine.rows.spend_columns import (
    counts_taken_for_money,
    idle_media,
    in_micros,
    lone_peaks,
    mirrors_of_target,
    unpaid_media,
)


def unpaid_media_findings(rows: Regressors) -> Iterator[Finding]:
    """Channels whose money is missing in rows in which they run."""
    for one in unpaid_media(rows):
        message = (
            f"is 0 in {one.rows} of the {one.running} rows in which '{one.channel}' runs, first on "
            f"{rows.day(one.first)}: {one.share:.0%} of its media cost nothing, and its return is too good by as much"
        )
        fix = "complete the costs, or spread what was booked elsewhere over the rows in which the media ran"
        yield Finding("cost-missing", "warning", one.cost, message, fix)


def idle_media_findings(rows: Regressors) -> Iterator[Finding]:
    """Channels that cost money in rows in which they do not run."""
    for one in idle_media(rows):
        message = (
            f"is 0 in {one.rows} of the {one.running} rows in which '{one.cost}' is not, first on "
            f"{rows.day(one.first)}: {one.share:.0%} of its money bought nothing, and its return is too bad by as much"
        )
        fix = "complete the media, or book the money in the rows in which they ran"
        yield Finding("media-missing", "warning", one.channel, message, fix)


def counts_taken_for_money_findings(rows: Regressors) -> Iterator[Finding]:
    """Channels that are said to be spend and look like impressions or clicks."""
    for column, why in counts_taken_for_money(rows):
        message = f"is taken for money and {why}: its return would be per impression or click, not per unit of money"
        fix = (
            f"write {{column: {column}, unit: impressions, cost: …}}, its money; without cost if it has none"
        )
        yield Finding("spend-looks-like-count", "warning", column, message, fix)


def in_micros_findings(rows: Regressors) -> Iterator[Finding]:
    """Money in millionths, as interfaces of advertising platforms give it."""
    for column in in_micros(rows):
        message = (
            "is called like money in micros, millionths of the currency: returns would be off by a million"
        )
        yield Finding("spend-in-micros", "warning", column, message, "divide the column by 1,000,000")


def lone_peak_findings(rows: Regressors) -> Iterator[Finding]:
    """Single rows of media or money far above all others: a slip of the decimal mark, or a sum in one row."""
    for column, peaks in lone_peaks(rows).items():
        values = rows.values(column)
        listed = ", ".join(f"{values[index]:,.6g} on {rows.day(index)}" for index in peaks)
        rest = max(value for index, value in enumerate(values) if index not in peaks)
        message = (
            f"{listed}: no other row goes beyond {rest:,.6g}, so that these say nearly all there is to learn"
        )
        fix = "check the decimal mark of these cells, and whether they hold a sum of several rows"
        yield Finding("lone-peak", "warning", column, message, fix)


def mirror_findings(rows: Regressors) -> Iterator[Finding]:
    """Columns that say what the target says: they explain all of it, and nothing is left for the others."""
    for column, correlation in mirrors_of_target(rows).items():
        target = rows.config.target.column
        message = (
            f"moves with the target '{target}' (correlation {correlation:.4f}): it would explain all of it"
        )
        fix = "leave out what is made of the target, such as orders; spend that is a share of sales tells nothing"
        yield Finding("mirrors-target", "warning", column, message, fix)
