"""Every parameter as a row: its posterior beside its prior.

Here: the parameter table of a fit with the quantiles of each prior, and the prior draws behind them.
Not here: R-hat and effective sample sizes (diagnostics.py), how priors are written and drawn (model/priors.py).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.client.config import ClientConfig
from mmm_engine.model.arrays import ModelData
from mmm_engine.model.prior_draws import PRIOR_DRAWS, RANGE, prior_ranges, prior_values
from mmm_engine.model.priors import FROM_RETURN
from mmm_engine.model.specification import ModelSpecification, dimension_labels
from mmm_engine.posterior.fitted_window import FittedWindow

_SD_TO_99 = 2.3263478740408408  # standard deviations from the median of a normal to its 99% point


def parameter_frame(window: FittedWindow) -> pd.DataFrame:
    """`parameter_summary` of a fitted window with the prior of every element beside it.

    Scales of channels whose returns share an unknown level have the range of their prior around the level that was
    found: that all channels bring more than expected is what the level is there to say, and pushes against nothing.

    Returns:
        The columns of the summary, then those of `prior_frame`; model space.
    """
    config, specification = window.inputs.config, window.specification
    priors = prior_frame(config, specification, window.training_arrays, window.prior_draws)
    frame = window.parameter_summary.merge(priors, on="parameter", how="left")
    shared = frame["parameter"].isin(_scales_around_a_level(config, specification))
    if shared.any():
        expected = _medians(window.prior_draws, specification, config).reindex(frame["parameter"][shared])
        level = float(np.log(frame["q50"][shared].to_numpy() / expected.to_numpy()).mean())
        frame.loc[shared, ["prior_q01", "prior_q99"]] *= np.exp(_within_its_prior(level, config))
    return frame


def _scales_around_a_level(config: ClientConfig, specification: ModelSpecification) -> list[str]:
    """Elements whose prior follows from a return around a level that several channels share."""
    returns = specification.returns
    around = (*returns.shared, *returns.unpaid) if returns else ()
    shared = [config.channel_names[position] for position in around]
    follow = [
        spec.name
        for spec in specification.parameters
        if any(part.prior == FROM_RETURN for part in spec.parts)
    ]
    return [f"{name}[{channel}]" for name in follow for channel in shared]


def _medians(
    values: dict[str, Floats], specification: ModelSpecification, config: ClientConfig
) -> pd.Series[float]:
    """Medians of draws by element."""
    names, medians = _elements(specification, config), []
    for spec in specification.parameters:
        medians += list(np.median(values[spec.name].reshape(len(values[spec.name]), -1), axis=0))
    return pd.Series(medians, index=names)


def _within_its_prior(level: float, config: ClientConfig) -> float:
    """A level of log returns, at most as far from its centre as the central 98% of its prior reach."""
    returns = config.model.returns
    reach = _SD_TO_99 * returns.level_sigma if returns else 0.0
    return float(np.clip(level, -reach, reach))


def _elements(specification: ModelSpecification, config: ClientConfig) -> list[str]:
    """Names of all elements ("saturation_lam[tv]"), in the order of the flat vector."""
    labels = dimension_labels(config, specification)
    names: list[str] = []
    for spec in specification.parameters:
        elements = [""] if spec.dim is None else [f"[{label}]" for label in labels[spec.dim]]
        names += [f"{spec.name}{element}" for element in elements]
    return names


def prior_frame(
    config: ClientConfig,
    specification: ModelSpecification,
    data: ModelData,
    drawn: dict[str, Floats] | None = None,
) -> pd.DataFrame:
    """The prior of every parameter element.

    Args:
        config: The client, for names of channels and controls.
        specification: Its model.
        data: Training rows, on which scales hang that follow from priors on returns.
        drawn: Output of `prior_values` for the same, where it is known already.

    Returns:
        Columns parameter ("saturation_lam[tv]"), prior_mean, prior_sd, prior_q05, prior_q95, prior_q01, prior_q99;
        model space. The numbers come from random draws, so that parameters with priors on their priors have them too;
        mean and sd are those of the draws, also where the distribution has none.
    """
    values = prior_values(specification, data) if drawn is None else drawn
    ranges = dict(prior_ranges(specification.parameters))
    for spec in specification.parameters:
        if any(part.prior == FROM_RETURN for part in spec.parts):
            ranges[spec.name] = np.quantile(values[spec.name], RANGE, axis=0)
    draws = np.column_stack([values[spec.name].reshape(PRIOR_DRAWS, -1) for spec in specification.parameters])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    lowest, highest = np.concatenate([ranges[spec.name] for spec in specification.parameters], axis=1)
    return pd.DataFrame(
        {
            "parameter": _elements(specification, config),
            "prior_mean": draws.mean(axis=0),
            "prior_sd": draws.std(axis=0, ddof=1),
            "prior_q05": low,
            "prior_q95": high,
            "prior_q01": lowest,
            "prior_q99": highest,
        }
    )
