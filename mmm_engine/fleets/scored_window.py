"""A fitted window with everything that a refresh reads from it: what every fleet is made of.

Here: `ScoredWindow`, whose frames are computed once, when first asked for; fitting one.
Not here: the frames themselves (results/, holdout.py), what a fleet concludes from its windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.fleets.holdout import score_window
from mmm_engine.posterior.chain_views import chain_frame
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.parameter_table import parameter_frame
from mmm_engine.posterior.progress import ProgressListener
from mmm_engine.results.decomposition import contributions, decomposition_frame, multiplier_frame
from mmm_engine.results.evidence import channel_evidence
from mmm_engine.results.plausibility import plausibility_scores
from mmm_engine.results.predictive import Prediction, predict, predictive_frame
from mmm_engine.results.response import adstock_weights, response_curves
from mmm_engine.results.returns import channel_returns, returns_by_period
from mmm_engine.rows.window import ScaledInputs
from mmm_engine.scores.identification import identified_scores, readings


@dataclass(frozen=True, eq=False)
class ScoredWindow(FittedWindow):
    """A fitted window, its scores, and the frames that reports and the history are made from."""

    @classmethod
    def from_fitted(cls, window: FittedWindow) -> ScoredWindow:
        """The same window; what was computed of it already comes along."""
        scored = cls(window.inputs, window.posterior, window.specification)
        vars(scored).update(vars(window))
        return scored

    @cached_property
    def prediction(self) -> Prediction:
        """Predictive draws of every row, original units."""
        return predict(self)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of the training and held-out rows; of the window of all rows also how well each channel is known."""
        scores = score_window(self, self.prediction)
        if self.inputs.window != FULL:
            return scores
        evidence = channel_evidence(self)
        read = readings(
            evidence, None, self.inputs.config.thresholds.recovery_min, self.inputs.config.channel_names
        )
        return pd.concat([scores, evidence, identified_scores(read, "train")], ignore_index=True)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Scores and sampler health in one score frame; of a window of all rows also how plausible its fit is."""
        parts = [self.scores, self.health]
        parts += [] if self.inputs.horizon else [plausibility_scores(self)]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Observed and predicted target of every row, with intervals."""
        return predictive_frame(self.prediction, self.inputs)

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Contribution, share and return of every channel over the training rows."""
        return channel_returns(self)

    @cached_property
    def period_returns(self) -> pd.DataFrame:
        """Returns over all training rows, the last year and the last quarter."""
        return returns_by_period(self)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Response of the target to each channel's spend."""
        return response_curves(self)

    @cached_property
    def decomposition(self) -> pd.DataFrame:
        """The prediction of every row taken apart: baseline, seasons, channels, controls."""
        return decomposition_frame(contributions(self))

    @cached_property
    def adstock(self) -> pd.DataFrame:
        """How each channel's effect spreads over the periods that follow its media."""
        return adstock_weights(self)

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """Every parameter of the model: posterior, R-hat, effective sample sizes and its prior."""
        return parameter_frame(self)

    @cached_property
    def chains(self) -> pd.DataFrame:
        """Ranks of the draws, energy, and where divergences happened."""
        return chain_frame(self.posterior, self.parameter_summary)

    @cached_property
    def multiplier(self) -> pd.DataFrame | None:
        """How much stronger or weaker media works over time; None when the model keeps it constant."""
        return multiplier_frame(self)


def fit_window(
    inputs: ScaledInputs,
    *,
    sampler: SamplerConfig | None = None,
    progress: ProgressListener | None = None,
    label: str = "",
) -> ScoredWindow:
    """A window with its posterior; arguments as those of `fit`."""
    return ScoredWindow.from_fitted(fit(inputs, sampler=sampler, progress=progress, label=label))
