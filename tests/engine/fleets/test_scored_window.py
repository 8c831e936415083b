"""A window is worked out once: however much is read from it, its model, draws and diagnostics come once each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import Window
from mmm_engine.fleets.scored_window import ScoredWindow, fit_window
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.forecast import forecast
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import ScaledInputs, scale_window
from mmm_engine.scores.gates import check_calibration
from mmm_engine.simulation.client import simulate_client
from mmm_engine.toolkit.parameter_units import summarize

SHORT = SamplerConfig(draws=50, tune=100, chains=2, seed=5, ess_target=None)
FRAMES = (
    "scores", "metrics", "health", "predictions", "returns", "curves", "decomposition", "adstock", "parameters",
    "chains", "multiplier",
)  # fmt: skip
COUNTED = {  # what is counted: where it is called from
    "sample": ("mmm_engine.posterior.fit",),
    "model_specification": ("mmm_engine.posterior.fit", "mmm_engine.posterior.fitted_window"),
    "model_data": ("mmm_engine.posterior.fitted_window",),
    "flat_draws": ("mmm_engine.posterior.fitted_window",),
    "convergence": ("mmm_engine.posterior.diagnostics",),
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of `COUNTED` was called since."""
    counter: Counter[str] = Counter()

    def counting(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **keywords: Any) -> Any:
            counter[name] += 1
            return original(*args, **keywords)

        return count

    for name, modules in COUNTED.items():
        for module in modules:
            original = getattr(__import__(module, fromlist=[name]), name)
            monkeypatch.setattr(f"{module}.{name}", counting(name, original))
    return counter


def _read_everything(window: ScoredWindow) -> dict[str, pd.DataFrame]:
    """Every frame that a refresh or a notebook reads from a window."""
    summarize("intercept", window)
    return {name: getattr(window, name) for name in FRAMES}


def test_a_fitted_window_is_worked_out_once(small_window: ScaledInputs, calls: Counter[str]) -> None:
    """From the fit to the last frame: one specification, one flattening of the draws, one R-hat."""
    window = fit_window(small_window, sampler=SHORT)
    assert all(frame is not None and len(frame) for frame in _read_everything(window).values())
    assert calls == dict.fromkeys(COUNTED, 1)


def test_a_fit_with_a_target_of_effective_draws_hands_on_what_it_looked_at(
    small_window: ScaledInputs, calls: Counter[str]
) -> None:
    """R-hat and effective sizes decide after each attempt whether to go on; the window that comes back has them."""
    settings = SHORT.model_copy(update={"ess_target": 1e6, "max_draws": 120, "chains": 8})
    _read_everything(fit_window(small_window, sampler=settings))
    assert calls == {**dict.fromkeys(COUNTED, 1), "sample": 2, "convergence": 2}


def test_a_stored_window_brings_its_diagnostics(fitted_window: FittedWindow, calls: Counter[str]) -> None:
    """Read from a file, no R-hat is computed again, and every frame is the same to the last bit."""
    live = ScoredWindow.from_fitted(FittedWindow.of(fitted_window.inputs, fitted_window.posterior))
    frames, stored = _read_everything(live), live.stored_posterior()
    calls.clear()
    again = _read_everything(ScoredWindow.of(fitted_window.inputs, stored))
    assert calls == {"model_specification": 1, "model_data": 1, "flat_draws": 1}
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(again[name], frame, check_exact=True)


def test_an_older_file_without_diagnostics_is_read_all_the_same(fitted_window: FittedWindow) -> None:
    """What earlier versions stored has no summary: it is computed."""
    assert "parameter_summary" not in fitted_window.posterior.children
    window = FittedWindow.of(fitted_window.inputs, fitted_window.posterior)
    pd.testing.assert_frame_equal(window.parameter_summary, fitted_window.parameter_summary)


def test_other_rows_keep_the_draws(fitted_window: FittedWindow, calls: Counter[str]) -> None:
    """A forecast looks at longer rows of the same posterior: only the arrays are new."""
    rows = fitted_window.inputs.first(fitted_window.inputs.train_rows)
    full = FittedWindow.of(rows, fitted_window.posterior)
    calls.clear()
    frame = forecast(full, horizon=4)
    assert calls == {"flat_draws": 1, "model_data": 1}
    assert np.isfinite(frame["mean"]).all()
    assert full.on_rows(rows).draws is full.draws


def test_a_channel_that_begins_in_the_held_out_rows_does_not_ruin_their_forecast() -> None:
    """Its effect counts for 0, which the scores and the check say; under any preset and curve."""
    simulation = simulate_client("toy", periods=70, channels=3, seed=4)
    channel, frame = simulation.config.channel_names[1], simulation.frame.copy()
    frame.loc[: len(frame) - 9, channel] = 0.0
    plain = simulation.config.model_dump(mode="json")
    config = client_config_from_mapping({**plain, "model": {"preset": "toolkit", "adstock": {"max_lag": 4}}})
    inputs = scale_window(client_data_from_frame(config, frame), Window.holding_out(8))
    window = fit_window(inputs, sampler=SHORT)
    assert np.isfinite(window.prediction.draws).all()
    added = window.decomposition.query("component == @channel")["q95"].to_numpy()[-8:]
    assert (added == 0.0).all()
    scores = window.scores.query("split == 'test'")
    assert list(scores.loc[scores["metric"] == "unseen", "channel"]) == [channel]
    verdict = check_calibration(window.scores, config.thresholds, inputs.window)
    assert verdict.reason.endswith(f"without a training row, so that the effect was taken for 0: {channel}")
