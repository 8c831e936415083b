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
    selection = frozenset(dg.AssetKey(name) for name in {*made, *planned})
    run = instance.add_run(
        dg.DagsterRun("some_run", make_new_run_id(), asset_selection=selection, tags=dict(tags or {}))
    )
    for name in sorted({*made, *planned}):
        for partition in partitions if planned else ():
            plan = DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
                run.job_name,
                event_specific_data=AssetMaterializationPlannedData(dg.AssetKey(name), partition=partition),
            )
            instance.report_dagster_event(plan, run_id=run.run_id)
    for name in made:
        for partition in partitions:
            event = DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION.value,
                run.job_name,
                event_specific_data=StepMaterializationData(
                    dg.AssetMaterialization(name, partition=partition)
                ),
            )
            instance.report_dagster_event(event, run_id=run.run_id)
    if planned - set(made):
        instance.report_run_failed(run)
