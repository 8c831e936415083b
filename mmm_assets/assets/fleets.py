"""Assets of the third stage: how far a client's model can be trusted, and what it expects next.

Here: recovery_scores, stability_scores, forecast.
Not here: how a fleet works (mmm_engine.fleets), what follows from its scores (mmm_engine.scores.gates).
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from mmm_assets import metadata
from mmm_assets.assets import progress
from mmm_assets.assets.conditions import after
from mmm_assets.assets.stamps import MCMC_POOL, left_out, stamp, stamped_scores
from mmm_assets.pages import reporting
from mmm_assets.pages.publication import Publication
from mmm_assets.partitions import clients
from mmm_assets.runs import REFUSED, Refresh
from mmm_assets.storage.resources import ClientFiles, MetricHistory, SamplerOverrides
from mmm_assets.storage.results import ClientResults, ResultStore, versions_of
from mmm_assets.types import DataFrame
from mmm_engine.client.windows import FULL


@dg.asset(
    partitions_def=clients,
    deps=["scaled_inputs", "holdout_metrics"],
    group_name="fleets",
    kinds={"parquet", "pymc"},
    io_manager_key="frame_files",
    output_required=False,
    automation_condition=after("holdout_metrics"),
    pool=MCMC_POOL,
    metadata=metadata.column_schema(metadata.SCORE_COLUMNS),
)
def recovery_scores(
    context: dg.AssetExecutionContext, results: ResultStore, sampler: SamplerOverrides
) -> Iterator[dg.Output[DataFrame]]:
    """How well the model finds a truth drawn from its own prior, on this client's media and calendar."""
    from mmm_engine.fleets import recovery

    if left_out(context, results.read(context.partition_key)):
        return
    inputs = results.inputs(context.partition_key, FULL)
    scores = recovery.recovery_scores(
        inputs, sampler=sampler.apply(inputs.config.sampler), progress=progress.listener_for(context.log)
    )
    yield dg.Output(stamped_scores(context, scores, versions_of(inputs)))


@dg.asset(
    partitions_def=clients,
    deps=["channel_returns", "holdout_metrics"],
    group_name="fleets",
    kinds={"parquet"},
    io_manager_key="frame_files",
    output_required=False,
    automation_condition=after("holdout_metrics"),
    metadata=metadata.column_schema(metadata.SCORE_COLUMNS),
)
def stability_scores(
    context: dg.AssetExecutionContext, results: ResultStore, history: MetricHistory
) -> Iterator[dg.Output[DataFrame]]:
    """How far each channel's results move across windows and since the last refresh."""
    from mmm_engine.fleets import stability
    from mmm_engine.results.returns import returns_from_history

    stored = results.read(context.partition_key)
    if left_out(context, stored):
        return
    returns = [window.returns for window in stored.windows.values()]
    recorded = history.open().read(context.partition_key)
    before = reporting.previous_refresh(recorded, stored.made_by.get("refresh", ""))
    scores = stability.stability_scores(
        returns, None if before is None else returns_from_history(before[before["window"] == FULL.name])
    )
    yield dg.Output(stamped_scores(context, scores, versions_of(stored.data)))


@dg.asset(
    partitions_def=clients,
    deps=["fitted_posterior", "scaled_inputs", "holdout_metrics"],
    group_name="fleets",
    kinds={"parquet", "duckdb"},
    io_manager_key="frame_files",
    automation_condition=after("holdout_metrics"),
    metadata=metadata.column_schema(metadata.FORECAST_COLUMNS),
)
def forecast(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    client_files: ClientFiles,
    history: MetricHistory,
    publication: Publication,
) -> DataFrame:
    """What the full model expects of the next periods; frozen in the forecast ledger, to be judged when they come.

    Media follow the client's plan where its file names one, else last year's pattern. A client whose full fit failed
    a hard gate issues no forecast: the last one stays.
    """
    from mmm_engine.posterior.fitted_window import FittedWindow
    from mmm_engine.results import forecast as forecasts
    from mmm_engine.rows.plan import client_plan

    client = context.partition_key
    posterior, inputs = results.posterior(client, FULL), results.inputs(client, FULL)
    _refuse_unless_publishable(results.read(client), str(posterior.attrs["fit_id"]), publication.held_back())
    window = FittedWindow.of(inputs, posterior)
    settings = inputs.config.forecast
    plan = client_plan(client_files.folder, inputs)
    planned = 0 if plan is None else len(plan)
    horizon = max(settings.horizon, planned)
    frame = forecasts.forecast(window, horizon=horizon, plan=plan if planned else None)
    if settings.plan and planned < len(frame):
        message = "%s covers %d of %d periods; the others follow last year's pattern"
        context.log.warning(message, settings.plan, planned, len(frame))
    frozen = history.open().freeze_forecast(
        client,
        frame,
        cutoff=inputs.cutoff,
        issued_at=datetime.now(UTC),
        run_id=Refresh.of(context.run).id,
        data_version=inputs.data_version,
    )
    facts = {"periods": len(frame), "planned": planned, "frozen": frozen, "rows": metadata.table(frame)}
    context.add_asset_metadata(facts)
    stamp(context, frame, versions_of(inputs))
    return frame


def _refuse_unless_publishable(stored: ClientResults, fit: str, hold: str) -> None:
    """Stop an asset that publishes when its posterior has failed a hard gate, or was never judged.

    Raises:
        Failure: With the reasons; Dagster's blocking checks do not reach across runs, this does.
    """
    reasons = [f"  {verdict.check}: {verdict.reason}" for verdict in stored.refusals]
    reasons += [f"  held back: {hold}"] if hold else []
    if not reasons and stored.made_by.get("fit_id") != fit:
        reasons = ["  the posterior is newer than its scores; materialise the results of window 'full' again"]
    if reasons:
        message = f"client '{stored.data.config.client}': no forecast was issued, the last one stays:\n"
        listed = "\n".join(reasons)
        raise dg.Failure(message + listed, metadata={REFUSED: listed}, allow_retries=False)
