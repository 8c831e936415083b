"""Tags that tie the runs of one refresh together, and what a run's events say about its failure.

Here: tag names, reading them from a run, failures in words.
Not here: starting runs (refreshes/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from mmm_assets.dagster_private.tags import (
    ASSET_PARTITION_RANGE_START_TAG,
    HIDDEN_TAG_PREFIX,
    PARTITION_NAME_TAG,
)

REFRESH_TAG = "mmm/refresh"  # the same on all runs of one refresh; run_id of its rows in the metric history
CLIENT_TAG = "mmm/client"  # dagster.yaml lets one run a client at a time leave the queue
REFUSED = "refused"  # metadata of the failure of a step that publishes nothing because a check has failed
STARTED_TAG = (
    f"{HIDDEN_TAG_PREFIX}mmm_started"  # when the refresh began, seconds since 1970 (the UI hides it)
)
ACCEPT_RESTATED_TAG = "mmm/accept_restated"  # on a run that takes rows which take back what earlier ones said
COMMAND_TAG = "mmm/command"  # what repeats the refresh
# The run that PROCESS_TAG speaks of: a retry inherits the tags of the run before it.
CLAIM_TAG = f"{HIDDEN_TAG_PREFIX}mmm_claim"
PROCESS_TAG = (
    f"{HIDDEN_TAG_PREFIX}mmm_process"  # host, process id and start of the process that executes the run
)


@dataclass(frozen=True)
class Refresh:
    """The refresh that a run belongs to; a run that was started alone, from the UI, is one of its own.

    Attributes:
        id: The same for all its runs; run_id of its rows in the metric history.
        began: When it began.
        ended: Now, when the value was made.
        command: What repeats it.
    """

    id: str
    began: datetime
    ended: datetime
    command: str

    @classmethod
    def of(cls, run: dg.DagsterRun) -> Refresh:
        """The refresh of a run, as its tags say it."""
        now, began, client = datetime.now(UTC), run.tags.get(STARTED_TAG), client_of(run.tags)
        repeat = (
            f"re-execute run {run.run_id} in the UI"
            if run.run_config or not client
            else f"mmm refresh {client}"
        )
        return cls(
            id=run.tags.get(REFRESH_TAG, run.run_id),
            began=now if began is None else datetime.fromtimestamp(float(began), UTC),
            ended=now,
            command=run.tags.get(COMMAND_TAG, repeat),
        )

    @property
    def ended_at(self) -> str:
        """Its end as text."""
        return self.ended.isoformat(timespec="seconds")

    @property
    def seconds(self) -> float:
        """How long it took."""
        return round((self.ended - self.began).total_seconds(), 3)

    def ending(self, when: datetime) -> Refresh:
        """The same, as long, but ended then: results may be refused long after they were made."""
        return replace(self, began=self.began + (when - self.ended), ended=when)

    def stamp(self) -> dict[str, str]:
        """What a stored value says about the refresh that made it."""
        return {"refresh": self.id, "refreshed_at": self.began.isoformat(), "command": self.command}


def client_of(tags: Mapping[str, str]) -> str | None:
    """The client of a run, from its tags: its own, or that of its partition or range of partitions; None without one.

    >>> client_of({"dagster/partition": "ms|h04"}), client_of({"dagster/asset_partition_range_start": "ms|full"})
    ('ms', 'ms')
    """
    partition = tags.get(PARTITION_NAME_TAG) or tags.get(ASSET_PARTITION_RANGE_START_TAG) or ""
    return tags.get(CLIENT_TAG) or partition.partition("|")[0] or None


def step_failures(events: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """Why steps failed, in words; a blocking check that failed speaks for itself in the evaluations."""
    for event in events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            yield data.user_failure_data.description
        elif data.error and data.error.cls_name != "DagsterAssetCheckFailedError":
            cause = data.error.cause or data.error
            yield f"{event.step_key}: {cause.message.strip()}"


def first_line(text: str) -> str:
    """The first line of a message."""
    return text.strip().partition("\n")[0]
