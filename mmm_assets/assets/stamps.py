"""What several assets share: the pool that limits fits, and the stamp that says what results were made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from mmm_assets import metadata
from mmm_assets.runs import Refresh
from mmm_assets.types import DataFrame

MCMC_POOL = "mcmc"  # one fit at a time on this machine, see dagster.yaml


STAMP = (
    "client",
    "window",
    "cutoff",
    "data_version",
    "config_version",
    "engine_version",
    "seed",
    "fit_id",
    "refresh",
    "refreshed_at",
    "command",
)  # what of a posterior's attributes goes to every frame that is read from it


def stamped(context: dg.AssetExecutionContext, scores: DataFrame, versions: Mapping[str, str]) -> DataFrame:
    """Scores with the rows and settings they belong to and the run that made them, and their numbers in the UI."""
    scores.attrs.update({**versions, **Refresh.of(context.run).stamp()})
    facts: dict[str, Any] = {**metadata.score_numbers(scores), "rows": metadata.table(scores)}
    context.add_asset_metadata(facts)
    return scores
