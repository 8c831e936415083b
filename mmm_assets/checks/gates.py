"""Asset checks: each asks one gate of the engine and reports its numbers.

Here: which check guards which asset, whether it blocks, per-partition evaluations.
Not here: predicates and thresholds (mmm_engine.scores.gates), the form of an evaluation (evaluations.py).
Dagster: https://docs.dagster.io/guides/test/asset-checks

| check | asset | a failure |
|---|---|---|
| canary_found | canary | nothing of any client is published until it is found again |
| data_contract | client_data | stops the client: the rows stored last stay |
| training_cutoff | scaled_inputs | stops the run: a model would be judged on rows it has seen |
| fitted_rows | holdout_metrics | stops the run: results of other rows than they say |
| sampler_converged | holdout_metrics | for ``full``: nothing of this refresh is published; else a warning |
| holdout_calibration | holdout_metrics | is said in report and portfolio |
| ``judged_as_a_whole`` | metric_history | the report says "do not use"; a warning is said there and in the portfolio |
| recovery, stability | recovery_scores, stability_scores | is said in report and portfolio |
| drift | metric_history | is said in the UI, in `mmm gate` and by the view `open_alarms` |
| identification, sensitivity | the audit's scores | is said in report and portfolio |
| history_rows | metric_history | the record is incomplete |
| ``advice`` (budgets.py) | budget_plan | advice is not to be followed as it stands |
| report_self_contained | report | the page would load something from the network |
| newest_results, rows_in_time | report | is said in the UI and by `mmm gate` (standing.py) |

Blocking checks gate inside their own run only and backfills ignore them, so the assets that publish (forecast, report)
ask the same gates again.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from mmm_assets import verdicts
from mmm_assets.checks import evaluations, standing
from mmm_assets.checks.budgets import advice
from mmm_assets.partitions import client_x_window, clients, split_key
from mmm_assets.storage.io_managers import BY_PARTITION
from mmm_assets.storage.resources import MetricHistory
from mmm_assets.storage.results import ResultStore
from mmm_assets.types import ClientData, DataFrame, ScaledInputs, Verdict

Judged = Mapping[str, Verdict]  # partition key -> verdict

DATA_CONTRACT = dg.AssetCheckSpec(
    "data_contract",
    asset="client_data",
    description="The client's file and rows keep the data contract; every fault is listed.",
    blocking=True,
    partitions_def=clients,
)

RECEIPT_KEY = ("run_id", "window", "split")  # what the receipt of metric_history counts rows by


def _check(**definition: Any) -> Callable[[Callable[..., Judged]], dg.AssetChecksDefinition]:
    """Make an asset check from a function that judges every partition of the run; none stands for all.

    Args:
        **definition: Arguments of ``dagster.asset_check``.
    """

    def make(judge: Callable[..., Judged]) -> dg.AssetChecksDefinition:
        @functools.wraps(judge)  # Dagster reads inputs and resources from the signature
        def evaluate(context: dg.AssetCheckExecutionContext, **inputs: Any) -> Iterator[Any]:
            (spec,) = context.check_specs
            for key, verdict in judge(context, **inputs).items():
                yield evaluations.of_verdict(spec, key, verdict, context.instance)
            yield dg.Output(None)

        return dg.asset_check(**definition)(evaluate)  # type: ignore[arg-type]  # it may yield evaluations

    return make


@dg.asset_check(
    asset="canary", blocking=True, description="The simulated client's truth is found again by its fit."
)
def canary_found(canary: dict[str, Any]) -> dg.AssetCheckResult:
    """Say what the canary's fit found; report and forecast ask the same (`Publication.held_back`)."""
    reason = str(canary["hold"])
    return dg.AssetCheckResult(
        passed=not reason, description=reason or "the truth was found", metadata=canary["numbers"]
    )


@_check(
    asset="scaled_inputs",
    partitions_def=client_x_window,
    blocking=True,
    additional_ins={"client_data": dg.AssetIn(metadata=BY_PARTITION)},
    description="Training rows end where the client's rows say, and the scales are those of the training rows.",
)
def training_cutoff(
    context: dg.AssetCheckExecutionContext,
    scaled_inputs: dict[str, ScaledInputs],
    client_data: dict[str, ClientData],
) -> Judged:
    """Judge the split and the scales of every window of the run."""
    return {
        key: verdicts.of_cutoff(inputs, client_data[split_key(key)[0]])
        for key, inputs in scaled_inputs.items()
    }


@_check(
    asset="holdout_metrics",
    partitions_def=client_x_window,
    blocking=True,
    additional_ins={"scaled_inputs": dg.AssetIn()},
    description="The posterior was fitted on exactly the training rows and settings of its window.",
)
def fitted_rows(
    context: dg.AssetCheckExecutionContext,
    holdout_metrics: dict[str, DataFrame],
    scaled_inputs: dict[str, ScaledInputs],
) -> Judged:
    """Compare what every posterior of the run says of itself with its window."""
    return {
        key: verdicts.of_fitted_rows(scaled_inputs[key], scores.attrs)
        for key, scores in holdout_metrics.items()
    }


@_check(
    asset="holdout_metrics",
    partitions_def=client_x_window,
    blocking=True,
    additional_ins={"scaled_inputs": dg.AssetIn()},
    description="R-hat, effective sample sizes, divergences, tree depth and BFMI are inside their thresholds.",
)
def sampler_converged(
    context: dg.AssetCheckExecutionContext,
    holdout_metrics: dict[str, DataFrame],
    scaled_inputs: dict[str, ScaledInputs],
) -> Judged:
    """Judge the sampler of every window of the run; only ``full`` blocks."""
    return {key: verdicts.of_sampler(scaled_inputs[key], scores) for key, scores in holdout_metrics.items()}


@_check(
    asset="holdout_metrics",
    partitions_def=client_x_window,
    additional_ins={"scaled_inputs": dg.AssetIn()},
    description="Held-out weeks are forecast without gross bias, inside honest intervals.",
)
def holdout_calibration(
    context: dg.AssetCheckExecutionContext,
    holdout_metrics: dict[str, DataFrame],
    scaled_inputs: dict[str, ScaledInputs],
) -> Judged:
    """Judge the held-out weeks of every window of the run."""
    return {
        key: verdicts.of_held_out_rows(scaled_inputs[key], scores) for key, scores in holdout_metrics.items()
    }


@_check(
    asset="recovery_scores",
    partitions_def=clients,
    additional_ins={"client_data": dg.AssetIn()},
    description="Parameters drawn from the prior are found again from simulated rows.",
)
def recovery(
    context: dg.AssetCheckExecutionContext, recovery_scores: DataFrame, client_data: ClientData
) -> Judged:
    """Judge how well the model finds a known truth on this client's rows."""
    from mmm_engine.scores import gates

    verdict = gates.check_recovery(recovery_scores, client_data.config.thresholds)
    return {context.partition_key: verdict}


@_check(
    asset="stability_scores",
    partitions_def=clients,
    additional_ins={"client_data": dg.AssetIn()},
    description="Channels keep their contribution when weeks are added or taken away.",
)
def stability(
    context: dg.AssetCheckExecutionContext, stability_scores: DataFrame, client_data: ClientData
) -> Judged:
    """Judge how far the channels' results move."""
    from mmm_engine.scores import gates

    verdict = gates.check_stability(stability_scores, client_data.config.thresholds)
    return {context.partition_key: verdict}


@_check(
    asset="identification_scores",
    partitions_def=clients,
    description="Over many simulations the contribution of every channel is found again.",
)
def identification(context: dg.AssetCheckExecutionContext, identification_scores: DataFrame) -> Judged:
    """Judge which channels can be read."""
    from mmm_engine.scores import gates

    return {context.partition_key: gates.check_identification(identification_scores)}


@_check(
    asset="sensitivity_scores",
    partitions_def=clients,
    additional_ins={"client_data": dg.AssetIn()},
    description="Another seed and noise on spend move little, and a placebo channel earns little.",
)
def sensitivity(
    context: dg.AssetCheckExecutionContext, sensitivity_scores: DataFrame, client_data: ClientData
) -> Judged:
    """Judge what moves that should not."""
    from mmm_engine.scores import gates

    return {context.partition_key: gates.check_sensitivity(sensitivity_scores, client_data.config.thresholds)}


@_check(
    asset="metric_history",
    partitions_def=clients,
    blocking=True,
    description="The metric history holds every score of this refresh exactly once.",
)
def history_rows(
    context: dg.AssetCheckExecutionContext, metric_history: list[dict[str, Any]], history: MetricHistory
) -> Judged:
    """Compare the rows in the database with the receipt."""
    from mmm_engine.scores import gates

    recorded = history.open().read(context.partition_key).groupby(list(RECEIPT_KEY)).size()
    keys = {tuple(part[name] for name in RECEIPT_KEY) for part in metric_history}
    recorded_rows = sum(int(recorded.get(key, 0)) for key in keys)
    verdict = gates.check_history(recorded_rows, sum(part["rows"] for part in metric_history))
    return {context.partition_key: verdict}


@_check(
    asset="metric_history",
    partitions_def=clients,
    additional_ins={"client_data": dg.AssetIn()},
    description="Errors, coverage and channel shares keep to the range of earlier refreshes.",
)
def drift(
    context: dg.AssetCheckExecutionContext,
    metric_history: list[dict[str, Any]],
    client_data: ClientData,
    history: MetricHistory,
) -> Judged:
    """Judge the last refresh against those before."""
    recorded = history.open().read(context.partition_key)
    return {context.partition_key: verdicts.of_drift(recorded, client_data.config.thresholds)}


_OF_THE_WHOLE = {  # check of the client as a whole -> what is asked
    "holdout_skill": "Over the windows, held-out weeks are forecast better than by the seasonal naive forecast.",
    "fit_explains": "The fit explains something of its training rows.",
    "baseline_positive": "Without media something would still be sold.",
    "media_plausible": "Share and returns of media are such as a business can have.",
    "media_known": "What all media bring is known to within a factor of 2.",
    "media_supported": "Movements of media support what media are credited with.",
    "controls_plausible": "No single control moves most of the target.",
    "curves_plausible": "What every channel brings follows its media.",
    "residuals": "Errors of training rows do not last.",
    "one_explanation": "Chains from different starts settle in one place.",
    "prior_pushes": "No more posterior medians than by chance lie outside the 1% to 99% of their priors.",
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset="metric_history", description=description, partitions_def=clients)
        for name, description in _OF_THE_WHOLE.items()
    ],
    can_subset=True,
)
def judged_as_a_whole(context: dg.AssetCheckExecutionContext, results: ResultStore) -> Iterator[Any]:
    """Judge the client's forecasts over all windows, and what the fit of all rows says; the results are read once."""
    judged = {verdict.check: verdict for verdict in results.read(context.partition_key).whole}
    yield from evaluations.of_chosen(context, lambda name: judged.get(name) or verdicts.of_nothing(name))


@_check(
    asset="report",
    partitions_def=clients,
    blocking=True,
    description="The page holds everything it shows and asks the network for nothing.",
)
def report_self_contained(context: dg.AssetCheckExecutionContext, report: str) -> Judged:
    """Look for anything in the page that a browser would fetch."""
    from mmm_engine.report.bundle import check_report

    return {context.partition_key: check_report(report)}


ALL_CHECKS = (
    canary_found,
    training_cutoff,
    fitted_rows,
    sampler_converged,
    holdout_calibration,
    recovery,
    stability,
    identification,
    sensitivity,
    judged_as_a_whole,
    history_rows,
    drift,
    advice,
    report_self_contained,
    standing.standing,
)

# Every check in the order in which a refresh, and then an audit, comes to them: the order in which people see them.
CHECK_SPECS = (
    DATA_CONTRACT,
    *(spec for check in ALL_CHECKS if check is not canary_found for spec in check.check_specs),
)
