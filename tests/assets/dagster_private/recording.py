"""Recording assets as a run that made them, without executing anything."""

from collections.abc import Iterable, Mapping

import dagster as dg
from dagster import DagsterEventType
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, StepMaterializationData
from dagster._core.utils import make_new_run_id


def record_run(
    instance: dg.DagsterInstance,
    made: Iterable[str],
    partitions: Iterable[str | None],
    *,
    planned: Iterable[str] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Record a run that made some assets; one that had planned further ones failed before it came to them."""
    made, partitions, planned = sorted(made), list(partitions), set(planned)
    run = plan_run(instance, {*made, *planned}, partitions if planned else [], tags)
    materialise(instance, run, made, partitions)
    if planned - set(made):
        instance.report_run_failed(run)


def plan_run(
    instance: dg.DagsterInstance,
    assets: Iterable[str],
    partitions: Iterable[str | None],
    tags: Mapping[str, str] | None = None,
) -> dg.DagsterRun:
    """Record that a run has begun that is to make some assets."""
    names, partitions = sorted(assets), list(partitions)
    selection = frozenset(dg.AssetKey(name) for name in names)
    run = instance.add_run(
        dg.DagsterRun("some_run", make_new_run_id(), asset_selection=selection, tags=dict(tags or {}))
    )
    for name in names:
        for partition in partitions:
            plan = DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
                run.job_name,
                event_specific_data=AssetMaterializationPlannedData(dg.AssetKey(name), partition=partition),
            )
            instance.report_dagster_event(plan, run_id=run.run_id)
    return run


def materialise(
    instance: dg.DagsterInstance, run: dg.DagsterRun, assets: Iterable[str], partitions: Iterable[str | None]
) -> None:
    """Record that a run has made some assets."""
    partitions = list(partitions)
    for name in sorted(assets):
        for partition in partitions:
            event = DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION.value,
                run.job_name,
                event_specific_data=StepMaterializationData(
                    dg.AssetMaterialization(name, partition=partition)
                ),
            )
            instance.report_dagster_event(event, run_id=run.run_id)


def end_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Record that a run has ended well."""
    event = DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name)
    instance.report_dagster_event(event, run_id=run.run_id)
