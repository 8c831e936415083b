"""Partition keys, and which windows fit into one run."""

import itertools

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_assets.partitions import (
    WINDOW_NAMES,
    client_x_window,
    clients,
    in_order,
    range_tags,
    split_key,
    window_key,
    window_ranges,
)
from mmm_engine.client.windows import STANDARD_WINDOWS
from mmm_engine.errors import ConfigError

some_windows = st.lists(st.sampled_from(STANDARD_WINDOWS), min_size=1)


def test_windows_are_those_of_the_engine_with_full_first():
    """Ranges of partitions rely on this order."""
    assert WINDOW_NAMES == ("full", "h04", "h08", "h12")


def test_dagster_writes_the_key_of_a_window_as_client_then_window(tmp_path):
    """The dimensions' names decide the order; renaming one would silently turn all keys around."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions(str(clients.name), ["ms"])
        keys = client_x_window.get_partition_keys(dynamic_partitions_store=instance)
    assert keys == [window_key("ms", window) for window in STANDARD_WINDOWS]


@pytest.mark.parametrize(
    "key", ["../evil|full", "ms", "ms|h99", "MS|full", "a|b|full", "|full", "ms|", "ms|full|h04"]
)
def test_a_key_that_names_no_client_or_no_window_is_refused(key):
    """Keys come from the UI and from file names."""
    with pytest.raises((ConfigError, ValueError)):
        split_key(key)


@given(some_windows)
def test_ranges_cover_exactly_the_windows_asked_for(windows):
    """No window is fitted that nobody asked for, and none is left out."""
    covered = [
        STANDARD_WINDOWS[position]
        for first, last in window_ranges(windows)
        for position in range(STANDARD_WINDOWS.index(first), STANDARD_WINDOWS.index(last) + 1)
    ]
    assert covered == [window for window in STANDARD_WINDOWS if window in windows]


@given(some_windows)
def test_ranges_are_as_few_as_possible(windows):
    """Two ranges are never neighbours: every range costs a run."""
    ranges = window_ranges(windows)
    for (_, end), (start, _) in itertools.pairwise(ranges):
        assert STANDARD_WINDOWS.index(start) - STANDARD_WINDOWS.index(end) > 1


def test_all_windows_are_one_range():
    """So a refresh compiles its model once."""
    full, *_, longest = STANDARD_WINDOWS
    assert window_ranges(STANDARD_WINDOWS) == [(full, longest)]
    assert range_tags("ms", full, longest) == {
        "dagster/asset_partition_range_start": "ms|full",
        "dagster/asset_partition_range_end": "ms|h12",
    }


def test_keys_are_put_in_order_by_client_and_window():
    """Dagster hands out the keys of a run in no order."""
    assert in_order({"b|full", "a|h12", "a|full"}) == ["a|full", "a|h12", "b|full"]
