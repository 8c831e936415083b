"""What `mmm plan` prints: the sentence, the table, the certificate in words.

Here: Rich renderables from a plan.
Not here: the command (plan.py), tables of other commands (tables.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mmm_assets.cli.tables import empty_table, frame_table
from mmm_assets.cli.terminal import console
from mmm_assets.types import DataFrame

if TYPE_CHECKING:
    from mmm_engine.decisions.budget_plan import BudgetPlan

STYLES = {"raise": "green", "cut": "red", "test first": "magenta", "hold": "dim"}


def plan_parts(best: BudgetPlan, rows: DataFrame, *, is_table: bool) -> Iterator[object]:
    """A plan for a terminal.

    Args:
        best: The plan.
        rows: What was asked for: its table, a comparison, the frontier or tests.
        is_table: Whether that is its table.
    """
    from mmm_engine.decisions.plan_words import written

    window = best.window
    yield Text(best.sentence, style="bold" if best.acts else "")
    if is_table:
        yield _channels(best)
    elif "budget" in rows:
        yield _frontier(rows, best.window.currency)
        yield "What each channel gets of a budget: --format csv."
    elif "beats_today" in rows:
        yield _comparison(rows)
    else:
        yield frame_table(rows, "")
    yield "\n".join(_certificate(best))
    spend = best.spend[:, window.paid].sum()
    today = window.current[:, window.paid].sum()
    dates = f"{window.dates[0]:%Y-%m-%d} to {window.dates[-1]:%Y-%m-%d}"
    last = f"the last {window.basis} {window.period}s"
    yield f"{dates}: {written(spend)} {window.currency}, today {written(today)} ({last})."


def _channels(best: BudgetPlan) -> Table:
    from mmm_engine.decisions.plan_words import chance

    table = empty_table()
    value = best.request.value is not None
    unit = "earns" if value else "brings"
    heads = ["channel", "today", "plan", "change", "advice", f"next unit\n{unit}", "90%"]
    for head in heads + (["beats 1"] if value else []):
        is_left, is_whole = head in ("channel", "advice"), head in ("90%", "today", "plan")
        table.add_column(head, justify="left" if is_left else "right", overflow="fold", no_wrap=is_whole)
    paid = [name for name, is_paid in zip(best.window.channels, best.window.paid, strict=True) if is_paid]
    room = console().width - _BESIDE_NAMES - (9 if value else 0)
    for row in best.table[best.table["channel"].isin(paid)].to_dict("records"):
        change = "–" if math.isnan(row["change"]) else f"{row['change']:+.0%}"
        cells: list[Text | str] = [
            Text(_broken(str(row["channel"]), room)),
            f"{row['today']:,.0f}",
            f"{row['plan']:,.0f}",
            change,
            Text(str(row["advice"]), style=STYLES[row["advice"]]),
            f"{row['marginal']:.3g}",
            f"{row['marginal_q05']:.3g} to {row['marginal_q95']:.3g}",
        ]
        table.add_row(*cells, *([chance(row["beats_break_even"])] if value else []))
    return table


#: Widest that the columns beside the names of channels usually are.
_BESIDE_NAMES = 61


def _broken(name: str, room: int) -> str:
    """A column's name on lines that fit, broken behind underscores as far as it has some.

    >>> _broken("facebook_ads_brand_awareness_cost", 18).splitlines()
    ['facebook_ads_', 'brand_awareness_', 'cost']
    """
    lines = [""]
    for part in re.findall(r"[^_]*_|[^_]+", name):
        if lines[-1] and len(lines[-1]) + len(part) > max(room, 12):
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _frontier(rows: DataFrame, currency: str) -> Table:
    """A line a budget; what its channels get would not fit a terminal."""
    table = empty_table()
    for head in (f"budget ({currency})", "brings", "90%", "next unit brings"):
        table.add_column(head, justify="right")
    with_profit = bool(rows["profit"].notna().any())
    if with_profit:
        table.add_column("profit", justify="right")
    for row in rows.to_dict("records"):
        cells = [
            f"{row['budget']:,.0f}",
            f"{row['response']:,.0f}",
            f"{row['response_q05']:,.0f} to {row['response_q95']:,.0f}",
            f"{row['marginal']:.3g}",
        ]
        table.add_row(*cells, *([f"{row['profit']:,.0f}"] if with_profit else []))
    return table


def _comparison(rows: DataFrame) -> Table:
    """A line a plan, all on the same draws."""
    from mmm_engine.decisions.plan_words import chance

    table = empty_table()
    for head in ("plan", "spend", "brings", "90%", "gain", "90%", "beats today", "best"):
        table.add_column(head, justify="left" if head == "plan" else "right")
    for row in rows.to_dict("records"):
        table.add_row(
            Text(str(row["plan"])),
            f"{row['spend']:,.0f}",
            f"{row['response']:,.0f}",
            f"{row['response_q05']:,.0f} to {row['response_q95']:,.0f}",
            f"{row['gain']:+,.0f}",
            f"{row['gain_q05']:+,.0f} to {row['gain_q95']:+,.0f}",
            chance(row["beats_today"]),
            chance(row["best"]),
        )
    return table


def _certificate(best: BudgetPlan) -> Iterator[str]:
    """Why to believe it, a line each."""
    from mmm_engine.decisions.certificate import NEGLIGIBLE
    from mmm_engine.decisions.plan_words import resting, written

    proof, gain = best.certificate, best.gain
    unit = best.window.target_kind
    if math.isnan(proof.gap):
        known = "Whether a very different plan brings more is not known"
    elif proof.gap_share <= NEGLIGIBLE:
        known = "No other plan within the limits brings noticeably more"
    else:
        known = f"No other plan within the limits brings more than {written(proof.gap)} {unit} more"
    yield f"Found by: {proof.method}. {known}."
    exactness = f", to {proof.spread:.1e}" if proof.spread > 0.0 else ""  # one channel is equal to itself
    yield (
        f"The next unit of money brings {proof.price:.3g} {unit}, the same from every channel that is free to move"
        f"{exactness}. Worst 5% of draws: {written(gain.worst)} {best.gain_unit}."
    )
    if len(proof.binding):
        dearest = [f"{row.what} ({row.side})" for row in proof.binding.head(4).itertuples()]
        more = f" and {len(proof.binding) - 4} more" if len(proof.binding) > 4 else ""
        yield f"Limits that bind, dearest first: {', '.join(dearest)}{more}."
    if proof.price_of_caution > 0.0:
        yield f"Price of caution: {written(proof.price_of_caution)} {unit} of the expected response."
    if len(proof.beyond_seen):
        yield f"Beyond the largest amount ever seen: {len(proof.beyond_seen)} amounts."
    if proof.without_history:
        yield f"Never used, so nothing is known of them: {', '.join(proof.without_history)}."
    if len(
        unpaid := [
            name for name, paid in zip(best.window.channels, best.window.paid, strict=True) if not paid
        ]
    ):
        yield f"Without a cost, so that no money is planned for them: {', '.join(unpaid)}."
    bought = [name for name in best.window.channels if name not in unpaid]
    if idle := resting(best.table[best.table["channel"].isin(bought)]):
        yield f"Kept at 0, as they spend nothing today: {', '.join(idle)}; 'bounds' in 'decision' let them begin."
    if best.request.unreadable:
        yield f"Kept as today because the model cannot read them: {', '.join(best.request.unreadable)}; see --tests."
    if best.request.value is None and best.window.target_kind == "revenue":
        yield "Set 'margin' in the client file's 'decision' to count gains in money."
