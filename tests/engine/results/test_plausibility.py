"""Prior ranges stand beside the right parameters; negative baselines are counted as they are."""

from __future__ import annotations

import numpy as np
import pytest

from mmm_engine.model.prior_draws import prior_ranges
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.posterior.parameter_table import parameter_frame
from mmm_engine.results.plausibility import plausibility_scores


def test_parameters_get_the_range_of_their_own_prior(fitted_window: FittedWindow) -> None:
    """Names line up with the specification's order; data that follow the model push against no prior."""
    summary = parameter_frame(fitted_window).set_index("parameter")
    specification = fitted_window.specification
    ranges = prior_ranges(specification.parameters)
    for spec in specification.parameters:
        rows = summary[[name.split("[")[0] == spec.name for name in summary.index]]
        assert np.array_equal(rows[["prior_q01", "prior_q99"]].to_numpy().T, ranges[spec.name])
    inside = summary["q50"].between(summary["prior_q01"], summary["prior_q99"])
    assert inside.mean() > 0.9


def test_a_negative_baseline_is_counted_draw_by_draw_and_row_by_row(fitted_window: FittedWindow) -> None:
    """A quarter of the draws moved far below 0 is a probability of a quarter more."""
    before = plausibility_scores(fitted_window)["value"].item()
    moved = fitted_window.posterior.copy(deep=True)
    moved["posterior"]["intercept"].values[0, :150] = -100.0
    after = plausibility_scores(FittedWindow.of(fitted_window.inputs, moved))["value"].item()
    assert before < 0.01
    assert after == pytest.approx(before + 0.25, abs=0.01)
