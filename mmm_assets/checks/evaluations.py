"""Engine verdicts as Dagster check evaluations, one per partition.

Here: building evaluations, also for runs that hold several partitions.
Not here: which checks exist (gates.py), what they ask (mmm_engine.scores.gates).

Dagster turns an ``AssetCheckResult`` of a run with several partitions into one evaluation without a partition, so that
one window would stand for all. An ``AssetCheckEvaluation`` names its partition itself; a step may yield one for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from mmm_assets.dagster_private.instances import JudgedMaterialisation, judged_materialisation
from mmm_assets.metadata import verdict_numbers
from mmm_assets.types import Verdict
from mmm_engine.errors import MMMError


def of_verdict(
    spec: dg.AssetCheckSpec,
    partition: str | None,
    verdict: Verdict,
    instance: dg.DagsterInstance | None = None,
) -> dg.AssetCheckEvaluation:
    """The evaluation of one partition; with an instance it names the materialisation that was judged.

    Dagster knows passed and failed: what could not be judged is a failed warning there, whose description and metadata
    `outcome` say what it is.
    """
    is_error = verdict.severity == "error" and verdict.judged
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=verdict.reason if verdict.judged else f"not judged: {verdict.reason}",
        metadata=verdict_numbers(verdict),
        blocking=spec.blocking and verdict.blocking,
        partition=partition,
        target_materialization_data=_judged(instance, spec.asset_key, partition) if instance else None,
    )


def of_chosen(context: dg.AssetCheckExecutionContext, judge: Callable[[str], Verdict]) -> Iterator[Any]:
    """The evaluations of a step of several checks of one partition, as many of them as the run asks for.

    The step is one that may be asked for a part of them (`can_subset`): its outputs, which hold nothing, are optional
    and left out. Each would be an event of 1.5 kB.

    Args:
        context: Of the step.
        judge: The verdict of a check, by its name.
    """
    chosen = context.op_execution_context.selected_asset_check_keys
    specs = [spec for spec in context.check_specs if spec.key in chosen]
    for spec in specs:
        yield of_verdict(spec, context.partition_key, judge(spec.name), context.instance)


def was_judged(evaluation: dg.AssetCheckEvaluation) -> bool:
    """Whether there was anything to judge; see `of_verdict`."""
    outcome = evaluation.metadata.get("outcome")
    return outcome is None or outcome.value != "not judged"


def of_error(
    spec: dg.AssetCheckSpec, partition: str, error: MMMError, instance: dg.DagsterInstance
) -> dg.AssetCheckEvaluation:
    """The failed evaluation of a partition whose input was refused; it names the rows stored last, which stay.

    Without them the catalogue would show the check of the last good rows, which passed.
    """
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=str(error),
        metadata=faults(error),
        blocking=True,
        partition=partition,
        target_materialization_data=_judged(instance, spec.asset_key, partition),
    )


def faults(error: MMMError) -> dict[str, Any]:
    """All faults of a refused file as a table."""
    records = [
        dg.TableRecord({"where": fault.where, "found": fault.found, "wanted": fault.wanted, "fix": fault.fix})
        for fault in error.faults
    ]
    return {"fault_count": len(records), "faults": dg.MetadataValue.table(records) if records else "none"}


def _judged(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str | None
) -> JudgedMaterialisation | None:
    """The latest materialisation of the partition, which is the one a check looks at."""
    of_partition = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition] if partition else None)
    records = instance.fetch_materializations(of_partition, limit=1).records
    return judged_materialisation(records[0]) if records else None
