"""Which runs an evaluation of automation asks for: one a client, at once.

Here: runs in place of the backfills that Dagster makes of several partitions.
Not here: when an asset is asked for (mmm_assets.assets.conditions), ranges of partitions (ranges.py).

Dagster makes a backfill of whatever asks for more than one partition of an asset: the windows of a client, or anything
of two clients. Its daemon looks at backfills every thirty seconds, with no setting for it: once to make their runs, and
once more before what follows may see that they have ended. Runs of one client need neither look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from dagster._core.definitions import automation_tick_evaluation_context as evaluation
from dagster._core.definitions.events import AssetKeyPartitionKey

_stock_requests = evaluation.build_run_requests
Subsets = Sequence[EntitySubset[Any]]


def ask_for_runs() -> None:
    """In this process, evaluations of automation ask for runs, where Dagster would ask for a backfill.

    Of assets with a single-run policy, whose partitions have two dimensions, one run holds what is asked for of one key
    of the first dimension. Two assets of which different partitions are asked for need two runs in an order, which a
    backfill keeps: they are left to one.
    """

    def build(
        entity_subsets: Subsets, asset_graph: Any, run_tags: Mapping[str, str] | None, emit_backfills: bool
    ) -> Sequence[dg.RunRequest]:
        ranged = [subset for subset in entity_subsets if _holds_ranges(subset, asset_graph)]
        partitions: dict[str, dict[Any, set[str]]] = defaultdict(lambda: defaultdict(set))
        for subset in ranged:
            for key in subset.expensively_compute_partition_keys():
                partitions[str(key).partition("|")[0]][subset.key].add(key)
        if any(len({frozenset(keys) for keys in of_one.values()}) > 1 for of_one in partitions.values()):
            return _stock_requests(entity_subsets, asset_graph, run_tags, emit_backfills)
        requests = [
            request._replace(tags={**(run_tags or {}), **request.tags})
            for of_one in partitions.values()
            for request in evaluation.build_run_requests_with_backfill_policies(
                [AssetKeyPartitionKey(asset, key) for asset, keys in of_one.items() for key in keys],
                asset_graph,
                dynamic_partitions_store=None,  # type: ignore[arg-type]  # asked for runs of a number of partitions
            )
        ]
        others = [subset for subset in entity_subsets if subset not in ranged]
        return [*requests, *_stock_requests(others, asset_graph, run_tags, emit_backfills=False)]

    evaluation.build_run_requests = build


def _holds_ranges(subset: EntitySubset[Any], asset_graph: Any) -> bool:
    """Whether one run may hold several partitions of an asset."""
    if not isinstance(subset.key, dg.AssetKey):
        return False
    node = asset_graph.get(subset.key)
    policy = node.backfill_policy
    return (
        isinstance(node.partitions_def, dg.MultiPartitionsDefinition)
        and policy == dg.BackfillPolicy.single_run()
    )
