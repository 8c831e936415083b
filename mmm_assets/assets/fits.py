"""Assets of the second stage: the posterior of each window, and everything that is read from it.

Here: fitted_posterior; holdout_metrics, predictions, channel_returns, response_curves, decomposition,
adstock_weights, parameters, chain_views, media_multiplier (one step: the posterior is loaded once for all of them).
Not here: sampling (mmm_engine.posterior.fit), any formula (mmm_engine.scores.forecast_scores, predict, returns).
"""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from mmm_assets import metadata
from mmm_assets.assets import progress
from mmm_assets.assets.stamps import MCMC_POOL, STAMP
from mmm_assets.partitions import ONE_RUN, client_x_window, in_order
from mmm_assets.runs import Refresh
from mmm_assets.storage.io_managers import JsonFiles, PosteriorFiles
from mmm_assets.storage.resources import SamplerOverrides
from mmm_assets.storage.results import FIT_FAULTS, versions_of
from mmm_assets.types import DataFrame, DataTree, ScaledInputs


@dg.asset(
    partitions_def=client_x_window,
    backfill_policy=ONE_RUN,
    group_name="fits",
    kinds={"netcdf", "pymc"},
    io_manager_key="posterior_files",
    pool=MCMC_POOL,
)
def fitted_posterior(
    context: dg.AssetExecutionContext,
    scaled_inputs: dict[str, ScaledInputs],
    sampler: SamplerOverrides,
    posterior_files: dg.ResourceParam[PosteriorFiles],
    json_files: dg.ResourceParam[JsonFiles],
) -> Iterator[dg.Output[dict[str, DataTree]] | dg.AssetMaterialization]:
    """Posterior and sampler statistics of each window, fitted one after the other so that one compilation serves all.

    A window whose fit fails does not take the others with it: theirs are stored and recorded, then the step fails and
    names the windows that have no new posterior.
    """
    fits: dict[str, DataTree] = {}
    failures: dict[str, str] = {}
    for key in in_order(scaled_inputs):
        try:
            fits[key] = _fit(context, scaled_inputs[key], sampler)
        except Exception as error:  # whatever stops one fit must not cost the others
            context.log.exception("%s: the fit failed", key)
            failures[key] = f"{type(error).__name__}: {error}"
            note = {"reason": failures[key], **versions_of(scaled_inputs[key])}
            json_files.write(FIT_FAULTS, key, note)  # the report is another run and says it again
        else:
            context.add_asset_metadata(_fit_facts(fits[key]), partition_key=key)
    if failures:
        yield from _keep(fits, posterior_files)
        raise dg.Failure(_failure_message(failures), metadata={**failures}, allow_retries=False)
    yield dg.Output(fits)


def _scores(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Training and held-out scores of a window with its sampler's health and the plausibility of its baseline."""
    import pandas as pd

    from mmm_engine.fleets.holdout import score_window
    from mmm_engine.posterior.diagnostics import sampler_health
    from mmm_engine.results.baseline import plausibility_scores

    parts = [
        score_window(posterior, inputs),
        sampler_health(posterior),
        plausibility_scores(posterior, inputs),
    ]
    return pd.concat(parts, ignore_index=True)


def _predictions(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Observed and predicted target of every row, with intervals."""
    from mmm_engine.results.predictive import predict, predictive_frame

    return predictive_frame(predict(posterior, inputs), inputs)


def _channel_returns(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Contribution, share and return of each channel over the training rows."""
    from mmm_engine.results.returns import channel_returns

    return channel_returns(posterior, inputs)


def _response_curves(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Contribution of each channel as its spend changes, marked where it leaves what was ever spent."""
    from mmm_engine.results.response import response_curves

    return response_curves(posterior, inputs)


def _decomposition(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """The prediction of every row taken apart: baseline, seasons, channels, controls."""
    from mmm_engine.results.decomposition import contributions, decomposition_frame

    return decomposition_frame(contributions(posterior, inputs))


def _parameters(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Every parameter of the model: posterior, R-hat, effective sample sizes and its prior."""
    from mmm_engine.posterior.parameter_table import parameter_frame, with_prior_ranges

    return with_prior_ranges(parameter_frame(posterior, inputs.config), inputs)


def _adstock_weights(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """How each channel's effect spreads over the periods that follow its media."""
    from mmm_engine.results.response import adstock_weights

    return adstock_weights(posterior, inputs)


def _chain_views(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """Ranks of the draws, energy, and where divergences happened."""
    from mmm_engine.posterior.chain_views import chain_frame
    from mmm_engine.posterior.diagnostics import parameter_summary

    return chain_frame(posterior, parameter_summary(posterior))


def _media_multiplier(posterior: DataTree, inputs: ScaledInputs) -> DataFrame:
    """How much stronger or weaker media works over time; no rows when the model keeps it constant."""
    import pandas as pd

    from mmm_engine.results.decomposition import multiplier_frame

    frame = multiplier_frame(posterior, inputs)
    return pd.DataFrame(columns=list(metadata.MULTIPLIER_COLUMNS)) if frame is None else frame


_Reading = Callable[[Any, Any], Any]
_READINGS: dict[str, tuple[_Reading, metadata.Columns]] = {
    "holdout_metrics": (_scores, metadata.SCORE_COLUMNS),
    "predictions": (_predictions, metadata.PREDICTION_COLUMNS),
    "channel_returns": (_channel_returns, metadata.RETURNS_COLUMNS),
    "response_curves": (_response_curves, metadata.CURVE_COLUMNS),
    "decomposition": (_decomposition, metadata.DECOMPOSITION_COLUMNS),
    "adstock_weights": (_adstock_weights, metadata.ADSTOCK_COLUMNS),
    "parameters": (_parameters, metadata.PARAMETER_COLUMNS),
    "chain_views": (_chain_views, metadata.CHAIN_COLUMNS),
    "media_multiplier": (_media_multiplier, metadata.MULTIPLIER_COLUMNS),
}


@dg.multi_asset(
    name="window_results",
    partitions_def=client_x_window,
    backfill_policy=ONE_RUN,
    group_name="fits",
    can_subset=True,
    outs={
        name: dg.AssetOut(
            is_required=False,
            description=read.__doc__,
            io_manager_key="frame_files",
            kinds={"parquet"},
            metadata=metadata.column_schema(columns),
        )
        for name, (read, columns) in _READINGS.items()
    },
)
def window_results(
    context: dg.AssetExecutionContext,
    fitted_posterior: dict[str, DataTree],
    scaled_inputs: dict[str, ScaledInputs],
) -> Iterator[dg.Output[dict[str, DataFrame]]]:
    """Everything that is read from a posterior; any of it can be materialised alone."""
    for name, (read, _) in _READINGS.items():
        if dg.AssetKey(name) not in context.selected_asset_keys:
            continue
        frames = {}
        for key, posterior in fitted_posterior.items():
            frames[key] = read(posterior, scaled_inputs[key])
            frames[key].attrs.update({field: str(posterior.attrs.get(field)) for field in STAMP})
            context.add_asset_metadata(_frame_facts(name, frames[key]), asset_key=name, partition_key=key)
        yield dg.Output(frames, output_name=name)


def _fit(context: dg.AssetExecutionContext, inputs: ScaledInputs, overrides: SamplerOverrides) -> DataTree:
    """One fitted window, stamped with the run that made it."""
    from mmm_engine.posterior.fit import fit

    posterior = fit(
        inputs,
        sampler=overrides.apply(inputs.config.sampler),
        label=f"{inputs.config.client} {inputs.window}",
        progress=progress.listener_for(context.log),
    )
    posterior.attrs.update({"fit_id": context.run.run_id, **Refresh.of(context.run).stamp()})
    return posterior


def _keep(fits: dict[str, DataTree], files: PosteriorFiles) -> Iterator[dg.AssetMaterialization]:
    """Store and record the fits of a step that is about to fail for another window."""
    for key, posterior in fits.items():
        path = files.write("fitted_posterior", key, posterior)
        facts = {**_fit_facts(posterior), "path": dg.MetadataValue.path(path)}
        yield dg.AssetMaterialization("fitted_posterior", partition=key, metadata=facts)


def _failure_message(failures: dict[str, str]) -> str:
    listed = "\n".join(f"  {key}: {reason}" for key, reason in failures.items())
    return f"{len(failures)} of the windows of this run could not be fitted; the others are stored:\n{listed}"


def _fit_facts(posterior: DataTree) -> dict[str, Any]:
    """What the UI shows about one fit: numbers that plot, then what it was fitted on."""
    from mmm_engine.posterior.diagnostics import sampler_health

    facts: dict[str, Any] = metadata.score_numbers(sampler_health(posterior))
    for name in (
        "draws",
        "tune",
        "chains",
        "seed",
        "compile_seconds",
        "sample_seconds",
        "cutoff",
        "data_version",
    ):
        if name in posterior.attrs:
            value = posterior.attrs[name]
            facts[name] = value.item() if hasattr(value, "item") else value
    return facts


def _frame_facts(name: str, frame: DataFrame) -> dict[str, Any]:
    """What the UI shows about one frame: scores as numbers that plot, anything else as a table."""
    return metadata.score_numbers(frame) if name == "holdout_metrics" else {"rows": metadata.table(frame)}
