"""How the platform's data is cut: by client, and by client and window.

Here: the partition definitions, the form of a partition key, which windows fit into one run.
Not here: where a partition is stored (storage/io_managers.py), which rows a window holds out (mmm_engine.rows.window).
Dagster: https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from mmm_engine.client.config import WINDOWS, check_client_id

WINDOW_NAMES: tuple[str, ...] = tuple(WINDOWS)
DELIMITER = "|"

clients = dg.DynamicPartitionsDefinition(name="client")
windows = dg.StaticPartitionsDefinition(list(WINDOW_NAMES))
client_x_window = dg.MultiPartitionsDefinition({"client": clients, "window": windows})

# One run may hold all windows of a client, so that a model specification is compiled once.
ONE_RUN = dg.BackfillPolicy.single_run()


def registered_clients(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the clients that have a partition, sorted."""
    return sorted(instance.get_dynamic_partitions(str(clients.name)))


def window_key(client: str, window: str) -> str:
    """The partition key of one window of one client.

    >>> window_key("ms", "h04")
    'ms|h04'
    """
    return f"{client}{DELIMITER}{window}"


def split_key(key: str) -> tuple[str, str]:
    """Client and window of a partition key, both checked.

    Raises:
        ConfigError: If the client part is not an allowed id.
        ValueError: If the window is unknown.

    >>> split_key("ms|h04")
    ('ms', 'h04')
    """
    client, _, window = str(key).partition(DELIMITER)
    check_client_id(client)
    if window not in WINDOWS:
        raise ValueError(
            f"partition '{key}': found window '{window}'; wanted one of {', '.join(WINDOW_NAMES)}"
        )
    return client, window


def partition_order(key: str) -> tuple[str, int]:
    """What partition keys are sorted by: the client, then the window, ``full`` first; -1 for a key without a window.

    >>> partition_order("ms|h04"), partition_order("ms")
    (('ms', 1), ('ms', -1))
    """
    if DELIMITER not in key:
        return key, -1
    client, window = split_key(key)
    return client, WINDOW_NAMES.index(window)


def in_order(keys: Iterable[str]) -> list[str]:
    """Partition keys by client, then by window, ``full`` first (Dagster hands them out unordered).

    >>> in_order(["ms|h12", "ms|full", "acme|h04"])
    ['acme|h04', 'ms|full', 'ms|h12']
    """
    return sorted((str(key) for key in keys), key=partition_order)


def window_ranges(names: Sequence[str]) -> list[tuple[str, str]]:
    """First and last window of every unbroken stretch: each stretch can be one run.

    >>> window_ranges(["h12", "full", "h04"])
    [('full', 'h04'), ('h12', 'h12')]
    """
    positions = sorted({WINDOW_NAMES.index(name) for name in names})
    starts = [p for p in positions if p - 1 not in positions]
    ends = [p for p in positions if p + 1 not in positions]
    return [(WINDOW_NAMES[start], WINDOW_NAMES[end]) for start, end in zip(starts, ends, strict=True)]


def range_tags(client: str, first: str, last: str) -> dict[str, str]:
    """Run tags that make one run hold the windows ``first`` to ``last`` of a client."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: window_key(client, first),
        ASSET_PARTITION_RANGE_END_TAG: window_key(client, last),
    }
