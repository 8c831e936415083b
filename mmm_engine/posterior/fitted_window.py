"""A fitted window: the rows, the model, the draws, and how well the chains agree, as one value.

Here: `FittedWindow`, which results, fleets and the report take; what it derives is computed once, when first asked for.
Not here: sampling (fit.py), what the draws say in original units (results/).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import pandas as pd
import xarray as xr

from mmm_engine.array_types import Floats
from mmm_engine.model.arrays import ModelData, first_rows, model_data
from mmm_engine.model.prior_draws import prior_values
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.diagnostics import (
    attach_summary,
    attached_summary,
    parameter_summary,
    sampler_health,
)
from mmm_engine.posterior.draws import flat_draws
from mmm_engine.posterior.labels import check_labels
from mmm_engine.rows.window import ScaledInputs


@dataclass(frozen=True, eq=False)
class FittedWindow:
    """A window and the posterior of its training rows.

    Attributes:
        inputs: The window.
        posterior: Output of `fit` on it, or the same read from a file.
        specification: The model that was fitted.
    """

    inputs: ScaledInputs
    posterior: xr.DataTree
    specification: ModelSpecification

    @classmethod
    def of(cls, inputs: ScaledInputs, posterior: xr.DataTree) -> Self:
        """The fitted window of a posterior that was read from a file, or drawn elsewhere; `fit` makes its own.

        Args:
            inputs: The window.
            posterior: Groups `posterior` and, for diagnostics, `sample_stats`.

        Raises:
            ConfigError: If the window's configuration has a prior that the model does not know.
            FitError: If the posterior is that of another configuration: other parameters, channels, controls or
                events, or another order of them.
        """
        specification = model_specification(inputs.config, inputs.calendar.period)
        check_labels(posterior, inputs.config, specification)
        return cls(inputs, posterior, specification)

    @cached_property
    def arrays(self) -> ModelData:
        """The model's arrays of all rows, model space."""
        return model_data(self.inputs, self.specification)

    @cached_property
    def training_arrays(self) -> ModelData:
        """The model's arrays of the training rows, model space."""
        return first_rows(self.arrays, self.inputs.train_rows)

    @cached_property
    def draws(self) -> dict[str, Floats]:
        """Parameters by name with chains joined, each of shape (draw, ...), model space."""
        return flat_draws(self.posterior)

    @cached_property
    def prior_draws(self) -> dict[str, Floats]:
        """Draws of every parameter from its prior, by name, as `draws` has those of the posterior; always the same."""
        return prior_values(self.specification, self.training_arrays)

    @cached_property
    def parameter_summary(self) -> pd.DataFrame:
        """One row per parameter element, as `diagnostics.parameter_summary` has it; read where the fit carries it."""
        summary = attached_summary(self.posterior)
        return parameter_summary(self.posterior) if summary is None else summary

    @cached_property
    def health(self) -> pd.DataFrame:
        """Sampler health as a score frame."""
        return sampler_health(self.posterior, self.parameter_summary)

    def on_rows(self, inputs: ScaledInputs) -> Self:
        """The same posterior on other rows of the same client: longer ones for a forecast, or with other media.

        Raises:
            FitError: If the rows have other channels, controls or events, or another order of them.
        """
        if inputs.config != self.inputs.config:
            check_labels(
                self.posterior, inputs.config, model_specification(inputs.config, inputs.calendar.period)
            )
        moved = replace(self, inputs=inputs)
        vars(moved)["draws"] = self.draws  # they do not hang on the rows
        return moved

    def stored_posterior(self) -> xr.DataTree:
        """The posterior with its parameter summary beside it, so that who reads it back computes no R-hat again."""
        return attach_summary(self.posterior, self.parameter_summary)
