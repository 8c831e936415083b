"""The study's tables: from the records of fits to Markdown.

Here: shares with their standard errors, medians, groups of worlds and channels.
Not here: the records (`scoring.py`, `study.py`).

Channels of one world share its noise, its model and its luck. The standard error of a share over channels therefore
counts worlds, not channels, as independent: sqrt(sum over worlds of (sum of hit - share)^2) / channels. It is at least
the binomial one, sqrt(share (1 - share) / channels), which it is where each world has one channel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.scores.identification import reading_of
from tests.benchmarks.truth.verdicts import check_table, judged_worlds, marking_table, verdict_table

Record = dict[str, Any]

MEDIA_SHARES = [0.05, 0.15, 0.35]
CHANNEL_SIZES = [0.005, 0.02, 0.05]
LENGTHS = [100, 200]


def report(records: Sequence[Record]) -> str:
    """All tables as Markdown.

    Args:
        records: Fits, of one or several schemes, as `study` keeps them.
    """
    fits, channels = fits_frame(records), channels_frame(records)
    effective = channels[~channels["null"]]
    pieces = ["### The worlds", markdown(world_quantities(records))]
    pieces += ["### Overall", markdown(overall(fits, effective))]
    for title, groups in GROUPS.items():
        table = by_group(effective, groups(effective))
        if len(table):
            pieces += [f"### {title}", markdown(table)]
    share_groups = bins(fits["media_share_true"], MEDIA_SHARES, "{:.0%}")
    pieces += ["### All media together, by their share of sales", markdown(all_media(fits, share_groups))]
    if "identified" in channels:
        pieces += ["### Can it be read?", markdown(readable(channels))]
    nulls = null_channels(channels)
    if len(nulls):
        pieces += ["### Channels without any effect", markdown(nulls)]
    marking = marking_table(records)
    if len(marking):
        pieces += ["### What verdicts could do at best, were intervals of all media right", markdown(marking)]
    if fits["forecast_coverage"].notna().any():
        pieces += ["### Forecast of the held-out rows", markdown(forecasts(fits))]
        judged = judged_worlds(records)
        pieces += ["### Verdicts, by the error of the total of media", markdown(verdict_table(judged))]
        pieces += ["### Failed checks, by the error of the total of media", markdown(check_table(judged))]
    return "\n\n".join(pieces) + "\n"


def fits_frame(records: Sequence[Record]) -> pd.DataFrame:
    """One row per fit, failed ones included (their scores are missing)."""
    rows = []
    for record in records:
        row = {name: record[name] for name in ("scheme", "world", "window", "seconds")}
        row["failed"] = "error" in record
        row["converged"] = record.get("converged", False)
        row["rank_correlation"] = record.get("rank_correlation")
        health, forecast = record.get("health", {}), record.get("forecast", {})
        row |= {name: health.get(name) for name in ("rhat_max", "divergences", "sample_seconds")}
        row["ess_min"] = _smallest(health.get("ess_bulk_min"), health.get("ess_tail_min"))
        row["forecast_coverage"], row["forecast_skill"] = forecast.get("coverage_90"), forecast.get("skill")
        media = record.get("media", {})
        row |= {f"media_{name}": media.get(name) for name in ("in_90", "in_50", "ratio", "width", "crps_log")}
        row["media_share_true"] = media.get("share", np.nan)
        rows.append(row)
    return pd.DataFrame(rows)


def channels_frame(records: Sequence[Record]) -> pd.DataFrame:
    """One row per channel of every fit that did not fail, with the tags of its world under ``world_<tag>``."""
    rows = []
    for record in records:
        tags = {f"world_{name}": value for name, value in record["tags"].items()}
        whole = {name: record.get(name) for name in ("scheme", "world", "window", "converged")}
        share = record.get("media", {}).get("share")
        rows += [{**tags, **whole, "media_share": share, **channel} for channel in record.get("channels", [])]
    return pd.DataFrame(rows)


def world_quantities(records: Sequence[Record]) -> pd.DataFrame:
    """How the worlds are spread: smallest, quartiles and largest of what decides how hard they are."""
    worlds = pd.DataFrame({record["world"]: record["tags"] for record in records}).T
    forms = {
        "rows": "{:.0f}",
        "n_channels": "{:.0f}",
        "media_share": "{:.1%}",
        "noise": "{:.1%}",
        "correlation": "{:.2f}",
    }
    forms |= {"roas": "{:.2f}", "spread": "{:.2f}", "oracle_r2": "{:.2f}"}
    names = {"n_channels": "channels", "media_share": "media ÷ sales", "noise": "noise ÷ sales"}
    names |= {"roas": "return of all media", "spread": "sd of log returns", "oracle_r2": "R² of the truth"}
    rows = []
    for tag, form in forms.items():
        if tag in worlds:
            cuts = worlds[tag].astype(float).quantile([0, 0.25, 0.5, 0.75, 1])
            rows.append([names.get(tag, tag), *(form.format(cut) for cut in cuts)])
    return pd.DataFrame(
        rows, columns=["", "smallest", "lower quartile", "median", "upper quartile", "largest"]
    )


def overall(fits: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
    """One row per scheme: channels' returns, all media, chains."""
    rows = []
    for scheme, those in fits.groupby("scheme", sort=False):
        done, parts = those[~those["failed"]], channels[channels["scheme"] == scheme]
        rows.append(
            {
                "scheme": scheme,
                "worlds": f"{len(those)}",
                **_channel_cells(parts),
                "rank corr.": _number(done["rank_correlation"].mean()),
                "all media in 90%": share_cell(done["media_in_90"], done["world"]),
                "all media: estimate ÷ truth": _number(done["media_ratio"].median()),
                "all media: width ÷ truth": _number(done["media_width"].median()),
                "pass the gate": share_cell(those["converged"], those["world"]),
                "R-hat > 1.01": share_cell(done["rhat_max"] > 1.01, done["world"]),
                "median smallest ESS": f"{done['ess_min'].median():.0f}",
                "divergent": f"{(done['divergences'] > 0).mean():.0%}",
                "median s a fit": f"{done['sample_seconds'].median():.1f}",
            }
        )
    return pd.DataFrame(rows)


def by_group(channels: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """One row per group and scheme; channels whose group is missing are left out."""
    rows = []
    for group in _in_order(groups):
        for scheme, parts in channels[groups == group].groupby("scheme", sort=False):
            worlds = f"{parts['world'].nunique()}"
            rows.append({"": str(group), "scheme": scheme, "worlds": worlds, **_channel_cells(parts)})
    return pd.DataFrame(rows)


def all_media(fits: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Total media per group and scheme."""
    rows = []
    for group in _in_order(groups):
        for scheme, those in fits[groups == group].groupby("scheme", sort=False):
            rows.append(
                {
                    "": str(group),
                    "scheme": scheme,
                    "worlds": f"{len(those)}",
                    "in 90%": share_cell(those["media_in_90"], those["world"]),
                    "in 50%": share_cell(those["media_in_50"], those["world"]),
                    "median width ÷ truth": _number(those["media_width"].median()),
                    "median estimate ÷ truth": _number(those["media_ratio"].median()),
                }
            )
    return pd.DataFrame(rows)


def readable(channels: pd.DataFrame) -> pd.DataFrame:
    """One row per scheme and answer of the engine's rule: what intervals held, and how far estimates were off.

    Channels without effect count where intervals are asked, and have no relative error.
    """
    rows = []
    for scheme, those in channels.groupby("scheme", sort=False):
        for identified in sorted(those["identified"].dropna().unique(), reverse=True):
            part = those[those["identified"] == identified]
            error = np.exp(np.abs(np.log(part["ratio"].dropna().astype(float))))
            rows.append(
                {
                    "scheme": scheme,
                    "answer": reading_of(identified),
                    "channels": f"{len(part)}",
                    "in 90%": share_cell(part["in_90"], part["world"]),
                    "in 50%": share_cell(part["in_50"], part["world"]),
                    "median error, × or ÷": _number(error.median()),
                    "off by more than 2": f"{(error > 2).mean():.0%}",
                    "without effect": f"{int(part['null'].sum())}",
                }
            )
    return pd.DataFrame(rows)


def null_channels(channels: pd.DataFrame) -> pd.DataFrame:
    """What channels without effect are credited with, as shares of sales; a good interval begins near 0."""
    nulls = channels[channels["null"]]
    return pd.DataFrame(
        {
            "scheme": scheme,
            "channels": f"{len(parts)}",
            "median lower end (5%)": _percent(parts["share_q05"].median()),
            "median estimate": _percent(parts["share_q50"].median()),
            "median upper end (95%)": _percent(parts["share_q95"].median()),
            "lower end above 0.5% of sales": share_cell(parts["share_q05"] > 0.005, parts["world"]),
        }
        for scheme, parts in nulls.groupby("scheme", sort=False)
    )


def forecasts(fits: pd.DataFrame) -> pd.DataFrame:
    """Held-out rows: coverage and skill, the share of the seasonal naive forecast's error that is removed."""
    return pd.DataFrame(
        {
            "scheme": scheme,
            "window": window,
            "fits": f"{len(those)}",
            "mean coverage of 90% intervals": _number(those["forecast_coverage"].mean()),
            "median skill": _number(those["forecast_skill"].median()),
            "naive forecast better": share_cell(those["forecast_skill"] < 0, those["world"]),
        }
        for (scheme, window), those in fits.dropna(subset="forecast_coverage").groupby(
            ["scheme", "window"], sort=False
        )
    )


def share_with_error(hits: pd.Series, worlds: pd.Series) -> tuple[float, float]:
    """A share and its standard error, with worlds as the independent units.

    >>> share_with_error(pd.Series([True, True, False, False]), pd.Series(["a", "b", "c", "d"]))
    (0.5, 0.25)
    """
    values = hits.to_numpy(dtype=float)
    share = float(values.mean())
    residuals = pd.Series(values - share).groupby(worlds.to_numpy()).sum()
    by_worlds = float(np.sqrt(np.square(residuals).sum())) / len(values)
    return share, max(by_worlds, math.sqrt(share * (1 - share) / len(values)))


def markdown(table: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def _channel_cells(parts: pd.DataFrame) -> dict[str, str]:
    return {
        "channels": f"{len(parts)}",
        "in 90%": share_cell(parts["in_90"], parts["world"]),
        "in 50%": share_cell(parts["in_50"], parts["world"]),
        "median width ÷ truth": _number(parts["width"].median()),
        "median CRPS of log": _number(parts["crps_log"].median()),
        "median estimate ÷ truth": _number(parts["ratio"].median()),
    }


def share_cell(hits: pd.Series, worlds: pd.Series) -> str:
    """A share with its standard error in per cent, missing values left out; a dash where all are missing."""
    present = hits.notna()
    if not present.any():
        return "–"
    share, error = share_with_error(hits[present], worlds[present])
    return f"{share:.1%} ± {100 * error:.1f}"


def _number(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def _percent(value: float) -> str:
    return f"{value:.2%}"


def _smallest(*values: float | None) -> float | None:
    present = [value for value in values if value is not None]
    return min(present) if present else None


# --- groups ---------------------------------------------------------------------------------------

Groups = Callable[[pd.DataFrame], pd.Series]


def bins(values: pd.Series, edges: Sequence[float], form: str) -> pd.Series:
    """Each value's interval as an ordered category."""
    texts = [form.format(edge) for edge in edges]
    labels = [
        f"< {texts[0]}",
        *(f"{a}–{b}" for a, b in itertools.pairwise(texts)),
        f"> {texts[-1]}",
    ]
    return pd.cut(values.astype(float), [-math.inf, *edges, math.inf], labels=labels)


def _in_order(groups: pd.Series) -> Iterator[Any]:
    if isinstance(groups.dtype, pd.CategoricalDtype):
        yield from (group for group in groups.cat.categories if (groups == group).any())
    else:
        yield from sorted(groups.dropna().unique())


def _world_kind(channels: pd.DataFrame) -> pd.Series:
    """How the world departs from a model that adds media of constant strength to an unconfounded baseline."""
    confounding = channels["world_confounding"]
    kinds = [
        ("several of these", _departures(channels) > 1),
        ("confounded, demand not seen", confounding == "unseen"),
        ("confounded, demand a control", confounding == "seen"),
        ("multiplicative", channels["world_multiplicative"].astype(bool)),
        ("time-varying", channels["world_time_varying"].astype(float) > 0),
    ]
    names = [name for name, _ in kinds]
    chosen = np.select([mask.to_numpy() for _, mask in kinds], names, "none of these")
    order = ["none of these", *reversed(names)]
    return pd.Series(pd.Categorical(chosen, order), index=channels.index)


def _departures(channels: pd.DataFrame) -> pd.Series:
    return (
        (channels["world_confounding"] != "none").astype(int)
        + channels["world_multiplicative"].astype(int)
        + (channels["world_time_varying"].astype(float) > 0).astype(int)
    )


def _channel_kind(channels: pd.DataFrame) -> pd.Series:
    """What is special about a channel; the first that holds."""
    kinds = {
        "follows_demand": "spend follows demand",
        "twin": "twin of another",
        "late": "started late",
        "organic": "organic",
    }
    here = {column: name for column, name in kinds.items() if column in channels}
    masks = [channels[column].fillna(False).astype(bool).to_numpy() for column in here]
    return pd.Series(np.select(masks, list(here.values()), "nothing special"), index=channels.index)


GROUPS: dict[str, Groups] = {
    "Channels, by all media's share of sales": lambda c: bins(c["media_share"], MEDIA_SHARES, "{:.0%}"),
    "Channels, by their own share of sales": lambda c: bins(c["share"], CHANNEL_SIZES, "{:.1%}"),
    "Channels, by true saturation": lambda c: c["saturation"],
    "Channels, by true carry-over": lambda c: c["adstock"],
    "Channels, by what the model leaves out": _world_kind,
    "Channels, by their kind": _channel_kind,
    "Channels, by pattern of spend": lambda c: c["spend_kind"],
    "Channels, by spacing of the rows": lambda c: c["world_spacing"],
    "Channels, by number of rows": lambda c: bins(c["world_rows"], LENGTHS, "{:.0f}"),
    "Channels, by trend": lambda c: c["world_trend"],
    "Channels, by whether the fit passes the gate": lambda c: c["converged"].map(
        {True: "passes", False: "refused"}
    ),
}
