"""An evaluation of automation sees all assets as they were at one moment.

Here: what was made since an evaluation began still counts as being made.
Not here: conditions (mmm_assets.assets.conditions).

Dagster reads the assets' newest records when an evaluation begins, and which partitions are being made when it comes to
them, seconds later. What a run makes in between is neither new nor being made: it would be asked for a second time, and
what follows from it before all of it is there.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.definitions.events import AssetKeyPartitionKey

_stock_in_progress = AssetGraphView._compute_run_in_progress_asset_subset


def look_at_one_moment() -> None:
    """In this process, partitions that were made since an evaluation began are in progress for it."""

    async def in_progress(view: AssetGraphView, key: dg.AssetKey) -> EntitySubset[Any]:
        now = await _stock_in_progress(view, key)
        if view.last_event_id is None or view.asset_graph.get(key).partitions_def is None:
            return now
        made = view.instance.event_log_storage.get_materialized_partitions(
            key, after_cursor=view.last_event_id
        )
        if not made:
            return now
        since = {AssetKeyPartitionKey(key, partition) for partition in made}
        return now.compute_union(
            view.get_asset_subset_from_asset_partitions(key, since, validate_existence=True)
        )

    AssetGraphView._compute_run_in_progress_asset_subset = in_progress  # type: ignore[assignment, method-assign]
