"""Windows of one client and their fits: what every fleet is made of.

Here: names and numbers of held-out rows, a fitted window with the frames that are read from it.
Not here: the scores themselves (holdout.py, returns.py), what a fleet concludes from its fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import xarray as xr

from mmm_engine.client.config import SamplerConfig
from mmm_engine.fleets.holdout import score_window
from mmm_engine.posterior.diagnostics import sampler_health
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.predictive import Prediction, predict
from mmm_engine.results.returns import channel_returns
from mmm_engine.rows.window import ScaledInputs


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
