"""Which partitions of two dimensions one run of a backfill holds.

Here: keeping what has one key of a dimension together.
Not here: which dimension that is (mmm_assets.launching.queue).

A run of a single-run backfill holds a range of keys in which one dimension stays the same. Dagster chooses "whichever
dimension has fewer distinct keys": with more clients than windows, one run would hold a window of every client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.partitions.subset.default import DefaultPartitionsSubset

_stock_ranges = DefaultPartitionsSubset.get_partition_key_ranges


def keep_together(dimension: str) -> None:
    """In this process, no range of partitions holds two keys of a dimension.

    Args:
        dimension: Its name; definitions without it are cut as Dagster cuts them.
    """

    def ranges(subset: DefaultPartitionsSubset, partitions_def: Any) -> Sequence[dg.PartitionKeyRange]:
        names = (
            [part.name for part in partitions_def.partitions_defs]
            if isinstance(partitions_def, dg.MultiPartitionsDefinition)
            else []
        )
        if dimension not in names:
            return _stock_ranges(subset, partitions_def)
        (other,) = [part for part in partitions_def.partitions_defs if part.name != dimension]
        others = other.partitions_def.get_partition_keys()
        asked = {
            partitions_def.get_partition_key_from_str(key).keys_by_dimension[dimension]
            for key in subset.get_partition_keys()
        }
        return [
            of_one
            for value in sorted(asked)
            for of_one in subset.get_ranges_for_keys(
                [dg.MultiPartitionKey({dimension: value, other.name: key}) for key in others]
            )
        ]

    DefaultPartitionsSubset.get_partition_key_ranges = ranges  # type: ignore[assignment, method-assign]
