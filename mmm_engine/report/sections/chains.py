"""How the chains of the full fit ran: ranks, energy, where divergences happened.

Here: charts that show an analyst what R-hat, ESS and the count of divergences cannot.
Not here: those numbers themselves (diagnostics.py).
"""

from __future__ import annotations

import math

import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Chart, Column, table_of
from mmm_engine.report.subject import Subject, pick

#: Parameters with a rank plot of their own; those whose chains agree least.
RANKED = 6


def chain_charts(subject: Subject) -> list[Chart]:
    """Rank plots, energy, and divergent draws when there are any; nothing when chains were not kept."""
    frame = subject.inputs.full.chains
    if frame is None or frame.empty:
        return []
    charts = [_rank_chart(frame[frame["view"] == "rank"]), _energy_chart(subject, frame)]
    draws = frame[frame["view"] == "draw"]
    if draws["diverging"].any() and draws["parameter"].nunique() > 1:
        charts.append(_divergence_chart(draws))
    return charts


def _rank_chart(ranks: pd.DataFrame) -> Chart:
    kept = ranks["parameter"].drop_duplicates()[:RANKED]
    shown = ranks[ranks["parameter"].isin(set(kept))]
    spread = (shown["value"] - 1).abs()
    worst = shown.iloc[int(spread.to_numpy().argmax())]
    reading = (
        f"Ranks of the {len(kept)} parameters whose chains agree least; lines that stay around 1 say that all chains "
        f"draw from the same distribution. The furthest off is chain {int(worst['chain']) + 1} in "
        f"{wording.safe_text(str(worst['parameter']), 80)}, with {numbers.decimal(float(worst['value']), 1)} times "
        "its share of draws in one twentieth of the ranks."
    )
    columns = {
        "parameter": Column("Parameter", "code"),
        "chain": Column("Chain", "count"),
        "lowest": Column("Lowest share", "ratio"),
        "highest": Column("Highest share", "ratio"),
    }
    spans = (
        shown.groupby(["parameter", "chain"], sort=False)["value"]
        .agg(lowest="min", highest="max")
        .reset_index()
    )
    return Chart(
        id="rank-plots",
        figure="rank_plots",
        title="Rank plots: do the chains agree?",
        reading=reading,
        table=table_of(
            spans.assign(chain=spans["chain"] + 1),
            "Share of each chain's draws in a twentieth of all ranks, 1 is expected",
            columns,
        ),
        frames={"ranks": shown},
    )


def _energy_chart(subject: Subject, frame: pd.DataFrame) -> Chart:
    part = frame[frame["view"].isin({"energy", "transition"})]
    bfmi = pick(subject.inputs.full.health, channel="all", metric="bfmi_min")
    reading = "The change from draw to draw should be about as wide as the energy itself"
    if math.isfinite(bfmi):
        verdict = "enough" if bfmi >= 0.3 else "too low: the tails are hardly reached"
        reading += (
            f"; the smallest BFMI of any chain is {numbers.decimal(bfmi)} (above 0.3 wanted), {verdict}"
        )
    wide = part.pivot(index="position", columns="view", values="value").reset_index()
    columns = {"position": Column("Energy", "fine"), "energy": Column("Density of energy", "fine")}
    columns |= {"transition": Column("Density of its change", "fine")}
    return Chart(
        id="energy",
        figure="energy",
        title="Energy: can the sampler reach the tails?",
        reading=wording.sentence(reading),
        table=table_of(wide, "Densities of the energy and of its change", columns),
        frames={"energy": part},
    )


def _divergence_chart(draws: pd.DataFrame) -> Chart:
    names = [str(name) for name in draws["parameter"].drop_duplicates()]
    rows = []
    for name in names:
        own = draws[draws["parameter"] == name]
        bad, rest = own.loc[own["diverging"], "value"], own.loc[~own["diverging"], "value"]
        spread = float(rest.std())
        rows.append(
            {
                "parameter": name,
                "divergent": float(bad.mean()),
                "others": float(rest.mean()),
                "shift": float((bad.mean() - rest.mean()) / spread) if spread > 0 else math.nan,
            }
        )
    table = pd.DataFrame(rows)
    first = table.iloc[0]
    number = int(draws.loc[draws["parameter"] == names[0], "diverging"].sum())
    side = "high" if first["shift"] > 0 else "low"
    lies = "lies" if number == 1 else "lie"
    reading = (
        f"{wording.count(number, 'divergent draw')} of the full fit {lies} at {side} values of "
        f"{wording.safe_text(names[0], 80)}, on average {numbers.decimal(abs(float(first['shift'])), 1)} standard "
        "deviations from the rest: there the posterior bends more than the sampler can follow, and a part of it may be "
        "missing."
    )
    columns = {
        "parameter": Column("Parameter", "code"),
        "divergent": Column("Mean of divergent draws", "fine"),
        "others": Column("Mean of the others", "fine"),
        "shift": Column("Apart, in SD", "ratio"),
    }
    return Chart(
        id="divergences",
        figure="divergences",
        title="Where divergences happened",
        reading=reading,
        table=table_of(table, "Parameters in which divergent draws stand out most", columns),
        frames={"draws": draws},
    )
