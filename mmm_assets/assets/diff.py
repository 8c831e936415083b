"""Why a client's returns moved since the last published refresh.

Here: refresh_diff.
Not here: the fits it takes and the parts of a move (mmm_engine.fleets.refresh_diff).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from mmm_assets import metadata
from mmm_assets.assets import progress
from mmm_assets.assets.conditions import after
from mmm_assets.assets.stamps import MCMC_POOL, left_out, stamp
from mmm_assets.partitions import clients
from mmm_assets.storage.published import PublishedStates, state_of
from mmm_assets.storage.resources import SamplerOverrides
from mmm_assets.storage.results import ResultStore, versions_of
from mmm_assets.types import DataFrame


@dg.asset(
    partitions_def=clients,
    deps=["channel_returns", "holdout_metrics"],
    group_name="fleets",
    kinds={"parquet"},
    io_manager_key="frame_files",
    output_required=False,
    automation_condition=after("holdout_metrics"),
    pool=MCMC_POOL,
    metadata=metadata.column_schema(metadata.DIFF_COLUMNS),
)
def refresh_diff(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    sampler: SamplerOverrides,
    published: PublishedStates,
) -> Iterator[dg.Output[DataFrame]]:
    """Moves of returns since the last published refresh, split into their causes; no rows when nothing moved.

    A few fits of one model specification, and only when a channel moved by more than the sampler's noise.
    """
    import pandas as pd

    from mmm_engine.fleets import refresh_diff as diffs

    stored = results.read(context.partition_key)
    if left_out(context, stored):
        return
    before, now = published.read(context.partition_key), state_of(stored)
    moves = None if before is None else diffs.moved(before, now)
    frame = pd.DataFrame(columns=list(diffs.DIFF_COLUMNS))
    if before is not None and moves is not None and len(moves):
        measure = diffs.fitted_returns(sampler.apply, progress.listener_for(context.log))
        frame = diffs.refresh_diff(before, now, measure)
    stamp(context, frame, versions_of(stored.data))
    facts: dict[str, Any] = {"moved": 0 if moves is None else len(moves), "rows": metadata.table(frame)}
    context.add_asset_metadata(facts)
    yield dg.Output(frame)
