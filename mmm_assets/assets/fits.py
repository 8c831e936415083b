"""Assets of the second stage: the posterior of each window, and everything that is read from it.

Here: fitted_posterior; holdout_metrics, predictions, channel_returns, response_curves, decomposition,
adstock_weights, parameters, chain_views, media_multiplier (one step: the posterior is loaded once for all of them).
Not here: sampling (mmm_engine.posterior.fit), what a window's frames hold (mmm_engine.fleets.scored_window).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from mmm_assets import metadata
from mmm_assets.assets import progress
from mmm_assets.assets.conditions import after, behind
from mmm_assets.assets.stamps import MCMC_POOL, POSTERIOR_STAMP
from mmm_assets.partitions import ONE_RUN, client_x_window, in_order, split_key
from mmm_assets.runs import Refresh
from mmm_assets.storage.io_managers import JsonFiles, PosteriorFiles
from mmm_assets.storage.resources import SamplerOverrides
from mmm_assets.storage.results import FIT_FAULTS, WINDOW_FRAMES, versions_of
from mmm_assets.types import DataFrame, DataTree, FittedWindow, ScaledInputs
from mmm_engine.client.windows import FULL


@dg.asset(
    partitions_def=client_x_window,
    backfill_policy=ONE_RUN,
    group_name="fits",
    kinds={"netcdf", "pymc"},
    io_manager_key="posterior_files",
    automation_condition=behind("scaled_inputs"),
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
    fits: dict[str, FittedWindow] = {}
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
    yield dg.Output({key: window.stored_posterior() for key, window in fits.items()})


# Asset of a window's frame to its description in the catalogue and its columns; the frames are `ScoredWindow`'s.
_FRAMES: dict[str, tuple[str, metadata.Columns]] = {
    "holdout_metrics": (
        "Training and held-out scores of a window with its sampler's health and the plausibility of its baseline.",
        metadata.SCORE_COLUMNS,
    ),
    "predictions": (
        "Observed and predicted target of every row, with intervals.",
        metadata.PREDICTION_COLUMNS,
    ),
    "channel_returns": (
        "Contribution, share and return of each channel over the training rows.",
        metadata.RETURNS_COLUMNS,
    ),
    "period_returns": (
        "Return of each channel over all training rows, the last year and the last quarter, with intervals.",
        metadata.PERIOD_RETURNS_COLUMNS,
    ),
    "response_curves": (
        "Contribution of each channel as its spend changes, marked where it leaves what was ever spent.",
        metadata.CURVE_COLUMNS,
    ),
    "decomposition": (
        "The prediction of every row taken apart: baseline, seasons, channels, controls.",
        metadata.DECOMPOSITION_COLUMNS,
    ),
    "adstock_weights": (
        "How each channel's effect spreads over the periods that follow its media.",
        metadata.ADSTOCK_COLUMNS,
    ),
    "parameters": (
        "Every parameter of the model: posterior, R-hat, effective sample sizes and its prior.",
        metadata.PARAMETER_COLUMNS,
    ),
    "chain_views": (
        "Ranks of the draws, energy, and where divergences happened.",
        metadata.CHAIN_COLUMNS,
    ),
    "media_multiplier": (
        "How much stronger or weaker media works over time; no rows when the model keeps it constant.",
        metadata.MULTIPLIER_COLUMNS,
    ),
}


@dg.multi_asset(
    name="window_results",
    partitions_def=client_x_window,
    backfill_policy=ONE_RUN,
    group_name="fits",
    outs={
        name: dg.AssetOut(
            is_required=False,
            description=description,
            io_manager_key="frame_files",
            kinds={"parquet"},
            # one condition for all: they are made together, and an evaluation costs as much for each asset
            automation_condition=after("fitted_posterior") if name == "holdout_metrics" else None,
            metadata=metadata.column_schema(columns),
        )
        for name, (description, columns) in _FRAMES.items()
    },
)
def window_results(
    context: dg.AssetExecutionContext,
    fitted_posterior: dict[str, DataTree],
    scaled_inputs: dict[str, ScaledInputs],
) -> Iterator[dg.Output[dict[str, DataFrame]]]:
    """Everything that is read from a posterior, all of it in one step."""
    import pandas as pd

    from mmm_engine.fleets.scored_window import ScoredWindow

    frames: dict[str, dict[str, DataFrame]] = {asset: {} for asset in WINDOW_FRAMES.values()}
    for key, posterior in fitted_posterior.items():
        window = ScoredWindow.of(scaled_inputs[key], posterior)  # what its frames share is computed once
        for field, asset in WINDOW_FRAMES.items():
            frame = getattr(window, field)
            frame = pd.DataFrame(columns=list(_FRAMES[asset][1])) if frame is None else frame
            frame.attrs.update({name: str(posterior.attrs.get(name)) for name in POSTERIOR_STAMP})
            context.add_asset_metadata(_frame_facts(asset, key, frame), asset_key=asset, partition_key=key)
            frames[asset][key] = frame
    for asset, by_window in frames.items():
        yield dg.Output(by_window, output_name=asset)


def _fit(
    context: dg.AssetExecutionContext, inputs: ScaledInputs, overrides: SamplerOverrides
) -> FittedWindow:
    """One fitted window, stamped with the run that made it."""
    from mmm_engine.posterior.fit import fit

    window = fit(
        inputs,
        sampler=overrides.apply(inputs.config.sampler),
        label=f"{inputs.config.client} {inputs.window}",
        progress=progress.listener_for(context.log),
    )
    window.posterior.attrs.update({"fit_id": context.run.run_id, **Refresh.of(context.run).stamp()})
    return window


def _keep(fits: dict[str, FittedWindow], files: PosteriorFiles) -> Iterator[dg.AssetMaterialization]:
    """Store and record the fits of a step that is about to fail for another window."""
    for key, window in fits.items():
        path = files.write("fitted_posterior", key, window.stored_posterior())
        facts = {**_fit_facts(window), "path": dg.MetadataValue.path(str(path))}
        yield dg.AssetMaterialization("fitted_posterior", partition=key, metadata=facts)


def _failure_message(failures: dict[str, str]) -> str:
    listed = "\n".join(f"  {key}: {reason}" for key, reason in failures.items())
    return f"{len(failures)} of the windows of this run could not be fitted; the others are stored:\n{listed}"


def _fit_facts(window: FittedWindow) -> dict[str, Any]:
    """What the UI shows about one fit: numbers that plot, then what it was fitted on."""
    facts: dict[str, Any] = metadata.score_numbers(window.health)
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
        if name in window.posterior.attrs:
            value = window.posterior.attrs[name]
            facts[name] = value.item() if hasattr(value, "item") else value
    return facts


def _frame_facts(name: str, key: str, frame: DataFrame) -> dict[str, Any]:
    """What the UI shows about one frame: scores as numbers that plot; of the window that people act on, a table.

    Tables of the other windows would be a third of all that a refresh writes into Dagster's records.
    """
    if name == "holdout_metrics":
        return metadata.score_numbers(frame)
    return {"rows": metadata.table(frame)} if split_key(key)[1] == FULL else {}
