"""Windows of one client and their fits: what every fleet is made of.

Here: names and numbers of held-out rows, a fitted window with the frames that are read from it.
Not here: the scores themselves (holdout.py, returns.py), what a fleet concludes from its fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.client.config import SamplerConfig
from mmm_engine.errors import DataError, Fault
from mmm_engine.fleets.holdout import score_window
from mmm_engine.posterior.fit import ProgressListener, fit, sampler_health
from mmm_engine.results.predictive import Prediction, predict
from mmm_engine.results.returns import channel_returns
from mmm_engine.rows.window import ScaledInputs, Scales


@dataclass(frozen=True, eq=False)
class WindowFit:
    """A fitted window; what is read from it is computed when it is first asked for.

    Attributes:
        inputs: The window.
        posterior: Output of `sampler.fit` on it.
    """

    inputs: ScaledInputs
    posterior: xr.DataTree

    @cached_property
    def prediction(self) -> Prediction:
        """Predictive draws of every row, original units."""
        return predict(self.posterior, self.inputs)

    @cached_property
    def health(self) -> pd.DataFrame:
        """Sampler health as a score frame."""
        return sampler_health(self.posterior)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of the training and the held-out rows."""
        return score_window(self.posterior, self.inputs, self.prediction)

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Contribution, share and return of every channel over the training rows."""
        return channel_returns(self.posterior, self.inputs)


def fit_window(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
    label: str = "",
) -> WindowFit:
    """A window with its posterior; arguments as those of `sampler.fit`."""
    return WindowFit(inputs, fit(inputs, sampler=sampler, progress=progress, label=label))


def window_name(holdout: int) -> str:
    """Name of the window that holds out so many rows.

    >>> window_name(0), window_name(4), window_name(13)
    ('full', 'h04', 'h13')
    """
    return f"h{holdout:02d}" if holdout else "full"


def check_holdouts(holdouts: Sequence[int], client: str) -> None:
    """Refuse numbers of held-out rows that no window can be made of.

    Raises:
        DataError: If there is none, one is not a whole number above 0, or one comes twice.
    """
    known = [number for number in holdouts if isinstance(number, int | np.integer) and number > 0]
    if not known or len(known) != len(holdouts) or len(set(known)) != len(known):
        found, wanted = f"{list(holdouts)}", "different whole numbers above 0"
        raise DataError(f"client '{client}'", Fault("holdouts", found, wanted, "pass for example [4, 8, 12]"))


def without_scaling(inputs: ScaledInputs) -> ScaledInputs:
    """The same window in original units: every scale is 1."""
    scales = inputs.scales
    return replace(
        inputs,
        scales=Scales(1.0, dict.fromkeys(scales.media, 1.0), dict.fromkeys(scales.controls, 1.0)),
        target_scaled=inputs.target,
        media_scaled=inputs.media_scaled * scales.media_array(),
        controls_scaled=inputs.controls_scaled * scales.control_array(),
    )
