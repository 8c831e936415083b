"""How the platform's data is cut: by client, and by client and window.

Here: the partition definitions, the form of a partition key, which windows fit into one run.
Not here: where a partition is stored (storage/io_managers.py), which rows a window holds out (mmm_engine.rows.window).
Dagster: https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from mmm_engine.client.config import check_client_id
from mmm_engine.client.natural_order import natural_order
from mmm_engine.client.windows import STANDARD_WINDOWS, Window, standard_window

WINDOW_NAMES: tuple[str, ...] = tuple(window.name for window in STANDARD_WINDOWS)
DELIMITER = "|"

clients = dg.DynamicPartitionsDefinition(name="client")
windows = dg.StaticPartitionsDefinition(list(WINDOW_NAMES))
client_x_window = dg.MultiPartitionsDefinition({"client": clients, "window": windows})

# One run may hold all windows of a client, so that a model specification is compiled once.
ONE_RUN = dg.BackfillPolicy.single_run()


def registered_clients(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the clients that have a partition, in natural order."""
    return sorted(instance.get_dynamic_partitions(str(clients.name)), key=natural_order)


def window_key(client: str, window: Window) -> str:
    """The partition key of one window of one client.

    >>> window_key("ms", Window.holding_out(4))
    'ms|h04'
    """
    return f"{client}{DELIMITER}{window.name}"


def split_key(key: str) -> tuple[str, Window]:
    """Client and window of a partition key, both checked.

    Raises:
        ConfigError: If the client part is not an allowed id.
        ValueError: If the window is unknown.

    >>> split_key("ms|h04")
    ('ms', Window(name='h04', holdout=4))
    """
    client, _, name = str(key).partition(DELIMITER)
    check_client_id(client)
    if name not in WINDOW_NAMES:
        raise ValueError(f"partition '{key}': found window '{name}'; wanted one of {', '.join(WINDOW_NAMES)}")
    return client, standard_window(name)


def partition_order(key: str) -> tuple[str, int]:
    """What partition keys are sorted by: the client, then the window, ``full`` first; -1 for a key without a window.

    >>> partition_order("ms|h04"), partition_order("ms")
    (('ms', 1), ('ms', -1))
    """
    if DELIMITER not in key:
        return key, -1
    client, window = split_key(key)
    return client, STANDARD_WINDOWS.index(window)


def in_order(keys: Iterable[str]) -> list[str]:
    """Partition keys by client, then by window, ``full`` first (Dagster hands them out unordered).

    >>> in_order(["ms|h12", "ms|full", "acme|h04"])
    ['acme|h04', 'ms|full', 'ms|h12']
    """
    return sorted((str(key) for key in keys), key=partition_order)


def window_ranges(windows: Sequence[Window]) -> list[tuple[Window, Window]]:
    """First and last window of every unbroken stretch: each stretch can be one run.

    >>> full, h04, _, h12 = STANDARD_WINDOWS
    >>> window_ranges([h12, full, h04]) == [(full, h04), (h12, h12)]
    True
    """
    positions = sorted({STANDARD_WINDOWS.index(window) for window in windows})
    starts = [p for p in positions if p - 1 not in positions]
    ends = [p for p in positions if p + 1 not in positions]
    return [(STANDARD_WINDOWS[start], STANDARD_WINDOWS[end]) for start, end in zip(starts, ends, strict=True)]


def range_tags(client: str, first: Window, last: Window) -> dict[str, str]:
    """Run tags that make one run hold the windows ``first`` to ``last`` of a client."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: window_key(client, first),
        ASSET_PARTITION_RANGE_END_TAG: window_key(client, last),
    }
