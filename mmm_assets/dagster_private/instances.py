"""What the platform asks of a Dagster instance beyond its documented methods.

Here: opening a home without capturing output, ending runs from outside, events of a run, check evaluations, cursors.
Not here: SQLite files (sqlite.py), why any of it is asked (the callers).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEventType
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.event_api import EventLogCursor, PartitionKeyFilter
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

JudgedMaterialisation = AssetCheckEvaluationTargetMaterializationData

# A section of dagster.yaml: what a process prints while steps run is not captured.
NO_CAPTURE = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}


def open_with(home: Path, settings: Mapping[str, Any]) -> dg.DagsterInstance:
    """The instance of a home, some sections of its dagster.yaml replaced."""
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=settings))


def root_directory(instance: dg.DagsterInstance) -> Path:
    """The folder of an instance: its home, or a temporary one of an instance in memory."""
    return Path(instance.root_directory)


def runs_with_status(
    instance: dg.DagsterInstance, statuses: Sequence[dg.DagsterRunStatus]
) -> Sequence[dg.DagsterRun]:
    """All runs that stand at one of the statuses."""
    return instance.get_runs(filters=dg.RunsFilter(statuses=list(statuses)))


def add_run_tags(instance: dg.DagsterInstance, run_id: str, tags: Mapping[str, str]) -> None:
    """Add tags to a run that exists."""
    instance.add_run_tags(run_id, dict(tags))


def end_as_failed(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str) -> None:
    """Mark a run as failed from outside, and free its places in pools."""
    instance.report_run_failed(run, message=message)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def events_of_run(
    instance: dg.DagsterInstance, run_id: str, kinds: Collection[DagsterEventType]
) -> list[dg.DagsterEvent]:
    """Events of some kinds that a run has recorded, in their order."""
    records = instance.get_records_for_run(run_id, of_type=set(kinds)).records
    return [event for record in records if (event := record.event_log_entry.dagster_event) is not None]


def latest_execution(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey, partition: str
) -> AssetCheckExecutionRecord | None:
    """The last execution of a check of one partition, planned ones included; None when it was never planned."""
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [check], partition_filter=PartitionKeyFilter(key=partition)
    )
    return records.get(check)


def record_evaluation(instance: dg.DagsterInstance, evaluation: dg.AssetCheckEvaluation, run_id: str) -> None:
    """Record the evaluation of a check as one of a run, also of a run that has ended or was about something else.

    Dagster's documented way, without a run, keeps one evaluation of a check and partition for ever: a second one breaks
    the unique index of its table.
    """
    run = instance.get_run_by_id(run_id)
    event = dg.DagsterEvent(
        event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
        event_specific_data=evaluation,
        job_name=run.job_name if run else "",
    )
    instance.report_dagster_event(event, run_id)


def forget_evaluations(instance: dg.DagsterInstance, before: datetime) -> None:
    """Delete what automation conditions came to before a time; Dagster itself keeps it for 30 days."""
    if instance.schedule_storage is not None:
        instance.schedule_storage.purge_asset_evaluations(before.timestamp())


def judged_materialisation(record: dg.EventLogRecord) -> JudgedMaterialisation:
    """A recorded materialisation in the form in which a check's evaluation names what it has judged."""
    return JudgedMaterialisation(
        run_id=record.event_log_entry.run_id, storage_id=record.storage_id, timestamp=record.timestamp
    )


def cursor_behind(storage_id: int) -> str:
    """The place behind an event in the list of runs that have ended; -1: the beginning."""
    return EventLogCursor.from_storage_id(storage_id).to_string()
