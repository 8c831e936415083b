"""Assets of an audit: the deep look at a client's fitted model, too dear for every refresh.

Here: origin_scores, identification_scores, sensitivity_scores; the client file's `audit` says how much of each.
Not here: how a fleet works (mmm_engine.fleets), what follows from its scores (mmm_engine.scores.gates).

An audit needs a refreshed client and fits again from its stored rows. What it finds stays in force until the client's
settings change: a report of next week's rows still says which channels are identified.
"""

from collections.abc import Callable

import dagster as dg

from mmm_assets import metadata
from mmm_assets.assets import progress
from mmm_assets.assets.stamps import MCMC_POOL, stamped_scores
from mmm_assets.partitions import clients
from mmm_assets.storage.resources import ClientFiles, SamplerOverrides
from mmm_assets.storage.results import ResultStore, versions_of
from mmm_assets.types import DataFrame, ScaledInputs, ScoredWindow
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS
from mmm_engine.version import ENGINE_VERSION


def _audit_asset(score: Callable[..., DataFrame]) -> dg.AssetsDefinition:
    """An asset of an audit from the function that computes its scores."""
    return dg.asset(
        partitions_def=clients,
        deps=["fitted_posterior", "scaled_inputs", "client_data"],
        group_name="audit",
        kinds={"parquet", "pymc"},
        io_manager_key="frame_files",
        pool=MCMC_POOL,
        metadata=metadata.column_schema(metadata.SCORE_COLUMNS),
    )(score)


@_audit_asset
def origin_scores(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    client_files: ClientFiles,
    sampler: SamplerOverrides,
) -> DataFrame:
    """How good forecasts are 1, 2, 4, 8 and 12 rows ahead, over rolling origins; stored fits serve again."""
    from mmm_engine.fleets import origins

    client = context.partition_key
    full, data, audit = _full(results, client), results.data(client), client_files.settings(client).audit
    stored = [results.fitted(client, window) for window in STANDARD_WINDOWS]
    scores = origins.origin_scores(
        data,
        audit.origins,
        audit.step,
        fitted={fit.inputs.window: fit for fit in stored if fit is not None},
        sampler=sampler.apply(data.config.sampler),
        progress=progress.listener_for(context.log),
    )
    return _stamped(context, scores, full.inputs)


@_audit_asset
def identification_scores(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    client_files: ClientFiles,
    sampler: SamplerOverrides,
) -> DataFrame:
    """Over many simulated targets: coverage, ranks, and per channel whether its contribution can be read.

    Metric `identified` is 1 (identified), 0.5 (weak) or 0 (not identified: its ROAS is not to be read); it hangs on the
    fit and, from 10 simulations on, on what they say.
    """
    import pandas as pd

    from mmm_engine.fleets import recovery
    from mmm_engine.scores.identification import identified_scores, readings

    full = _full(results, context.partition_key)
    audit = client_files.settings(context.partition_key).audit
    scores = recovery.recovery_scores(
        full.inputs,
        sampler=sampler.apply(full.inputs.config.sampler),
        progress=progress.listener_for(context.log),
        n_simulations=audit.simulations,
        fitted=full if audit.truth == "posterior" else None,
        split="identification",
    )
    config = full.inputs.config
    read = readings(full.scores, scores, config.thresholds.recovery_min, config.channel_names)
    told = identified_scores(read if audit.simulations else {}, "identification")
    return _stamped(context, pd.concat([scores, told], ignore_index=True), full.inputs)


@_audit_asset
def sensitivity_scores(
    context: dg.AssetExecutionContext,
    results: ResultStore,
    client_files: ClientFiles,
    sampler: SamplerOverrides,
) -> DataFrame:
    """What moves that should not: channels under another seed and under noise on spend; what a placebo earns."""
    from mmm_engine.fleets import sensitivity

    full = _full(results, context.partition_key)
    audit = client_files.settings(context.partition_key).audit
    runs = sensitivity.sensitivity_runs(
        full,
        seeds=audit.seeds,
        noise=audit.noise,
        placebo=audit.placebo,
        sampler=sampler.apply(full.inputs.config.sampler),
        progress=progress.listener_for(context.log),
    )
    return _stamped(context, sensitivity.sensitivity_scores(runs), full.inputs)


def _full(results: ResultStore, client: str) -> ScoredWindow:
    """The fitted full window that an audit looks at.

    Raises:
        Failure: If there is none for the client's stored rows and settings.
    """
    full = results.fitted(client, FULL)
    if full is None:
        reason = "no posterior of all rows for the client's present rows and settings"
        raise dg.Failure(
            f"client '{client}': {reason}; refresh the client, then audit it", allow_retries=False
        )
    return full


def _stamped(context: dg.AssetExecutionContext, scores: DataFrame, inputs: ScaledInputs) -> DataFrame:
    """The scores with the rows and settings they were made from, and their numbers in the UI."""
    made_from = {"engine_version": ENGINE_VERSION, "cutoff": inputs.cutoff.isoformat()}
    return stamped_scores(context, scores, {**versions_of(inputs), **made_from})
