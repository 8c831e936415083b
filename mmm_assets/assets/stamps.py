"""What several assets share: the pool that limits fits, and the stamp that says what results were made from.

Here: the pool's name, attributes of stored frames.
Not here: what is done with the stamp (storage/results.py reads it, the history records it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from mmm_assets import metadata
from mmm_assets.runs import Refresh
from mmm_assets.storage.results import ClientResults
from mmm_assets.types import DataFrame

MCMC_POOL = "mcmc"  # one fit at a time on this machine, see dagster.yaml

# What of a posterior's attributes goes to every frame that is read from it.
POSTERIOR_STAMP = (
    "client",
    "window",
    "cutoff",
    "train_rows",
    "data_version",
    "config_version",
    "engine_version",
    "seed",
    "fit_id",
    "refresh",
    "refreshed_at",
    "command",
)


def stamp(context: dg.AssetExecutionContext, frame: DataFrame, versions: Mapping[str, str]) -> None:
    """Write into a frame's attributes which rows and settings it belongs to, and the refresh that makes it."""
    frame.attrs.update({**versions, **Refresh.of(context.run).stamp()})


def left_out(context: dg.AssetExecutionContext, stored: ClientResults) -> bool:
    """Whether a fleet has no model to judge: the full fit failed a hard gate. Said in the run's log."""
    refusals = [f"{verdict.check}: {verdict.reason}" for verdict in stored.refusals]
    if refusals:
        context.log.warning("left out, nobody may read this model: %s", "; ".join(refusals))
    return bool(refusals)


def stamped_scores(
    context: dg.AssetExecutionContext, scores: DataFrame, versions: Mapping[str, str]
) -> DataFrame:
    """Scores with their stamp, their numbers and rows shown in the UI."""
    stamp(context, scores, versions)
    facts: dict[str, Any] = {**metadata.score_numbers(scores), "rows": metadata.table(scores)}
    context.add_asset_metadata(facts)
    return scores
