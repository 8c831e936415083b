"""A run of a backfill holds windows of one client, however many clients are asked for at once."""

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests_with_backfill_policies,
)
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.subset.default import DefaultPartitionsSubset

from mmm_assets.dagster_private.ranges import _stock_ranges, keep_together

COLOURS = [f"c{number}" for number in range(5)]
KEPT = dg.MultiPartitionsDefinition(
    {"colour": dg.StaticPartitionsDefinition(COLOURS), "size": dg.StaticPartitionsDefinition(["s", "m"])}
)
OTHER = dg.MultiPartitionsDefinition(
    {"day": dg.StaticPartitionsDefinition(["1", "2", "3"]), "size": dg.StaticPartitionsDefinition(["s", "m"])}
)


@pytest.fixture(autouse=True)
def _stock_again():
    """Other tests get what they had."""
    before = DefaultPartitionsSubset.get_partition_key_ranges
    yield
    DefaultPartitionsSubset.get_partition_key_ranges = before


def ranges(definition: dg.MultiPartitionsDefinition, keys: list[str]) -> list[tuple[str, str]]:
    """First and last key of each range."""
    found = definition.subset_with_partition_keys(keys).get_partition_key_ranges(definition)
    return sorted((str(one.start), str(one.end)) for one in found)


def test_dagster_puts_many_clients_into_a_run_unless_told_not_to():
    """The reason for this module: five of one kind and two of the other are cut into two ranges of five."""
    DefaultPartitionsSubset.get_partition_key_ranges = _stock_ranges
    assert ranges(KEPT, KEPT.get_partition_keys()) == [("c0|m", "c4|m"), ("c0|s", "c4|s")]


def test_what_has_one_key_stays_together():
    """A range for each colour; one that lacks what lies between is cut; partitions nobody asked for stay out."""
    keep_together("colour")
    assert ranges(KEPT, KEPT.get_partition_keys()) == [(f"{colour}|s", f"{colour}|m") for colour in COLOURS]
    assert ranges(KEPT, ["c1|m", "c3|s", "c3|m"]) == [("c1|m", "c1|m"), ("c3|s", "c3|m")]


def test_other_definitions_are_cut_as_ever():
    """Told once or twice."""
    stock = ranges(OTHER, OTHER.get_partition_keys())
    keep_together("colour")
    keep_together("colour")
    assert ranges(OTHER, OTHER.get_partition_keys()) == stock == [("1|m", "3|m"), ("1|s", "3|s")]


def test_automation_asks_for_one_run_for_each():
    """What Dagster makes of the requests of an evaluation."""

    @dg.asset(partitions_def=KEPT, backfill_policy=dg.BackfillPolicy.single_run())
    def dress() -> None:
        """Colours and sizes."""

    keep_together("colour")
    graph = dg.Definitions(assets=[dress]).resolve_asset_graph()
    asked = {AssetKeyPartitionKey(dress.key, key) for key in KEPT.get_partition_keys()}
    requests = build_run_requests_with_backfill_policies(asked, graph, None)
    starts = sorted(request.tags["dagster/asset_partition_range_start"] for request in requests)
    assert starts == [f"{colour}|s" for colour in COLOURS]
