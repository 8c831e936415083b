"""Scales come from training rows only, and scaling can be undone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import MaxAbsScaler

from mmm_engine.client.windows import FULL, Window
from mmm_engine.errors import DataError
from mmm_engine.rows.client_data import ClientData, client_data_from_frame
from mmm_engine.rows.window import (
    ScaledInputs,
    constant_in_training,
    fit_scales,
    scale_window,
    unseen_in_training,
)
from mmm_engine.simulation.client import simulate_client


@pytest.fixture(scope="module")
def client() -> ClientData:
    """A simulated weekly client with 100 rows."""
    simulation = simulate_client("toy", periods=100, seed=3)
    return client_data_from_frame(simulation.config, simulation.frame)


def test_scales_are_those_of_scikit_learn(client: ClientData) -> None:
    """MaxAbs of the training rows, column by column."""
    scales = fit_scales(client.first(80))
    assert scales.media_array() == pytest.approx(MaxAbsScaler().fit(client.media[:80]).scale_)
    assert scales.target == np.abs(client.target[:80]).max()


def test_held_out_rows_do_not_enter_the_scales(client: ClientData) -> None:
    """A huge value in the held-out rows changes no scale and no training row."""
    frame = client.frame.copy()
    frame.loc[frame.index[-1], client.config.target.column] *= 1000.0
    before, after = (
        scale_window(client, Window.holding_out(8)),
        scale_window(replace(client, frame=frame), Window.holding_out(8)),
    )
    assert before.scales == after.scales
    assert before.target_scaled[:-1] == pytest.approx(after.target_scaled[:-1])


def test_window_has_its_rows_and_its_cutoff(client: ClientData) -> None:
    """`h12` trains on all but the last twelve rows; the cutoff is the last training date."""
    inputs = scale_window(client, Window.holding_out(12))
    assert (inputs.train_rows, inputs.horizon) == (88, 12)
    assert inputs.cutoff == client.dates[87]
    assert (inputs.dates[inputs.split == "train"] <= inputs.cutoff).all()


def test_a_window_of_daily_rows_holds_out_weeks(client: ClientData) -> None:
    """`h04` of 220 days trains on 192 and holds out 28: four of each day of the week."""
    frame = pd.concat([client.frame] * 3, ignore_index=True).iloc[:220]
    frame["date"] = pd.date_range("2023-01-02", periods=220)
    inputs = scale_window(client_data_from_frame(client.config, frame), Window.holding_out(4))
    assert (inputs.train_rows, inputs.horizon) == (192, 28)
    assert np.bincount(inputs.calendar.weekdays[-28:]).tolist() == [4] * 7


def test_scaling_can_be_undone(client: ClientData) -> None:
    """The target in original units is the target of the file."""
    assert scale_window(client, FULL).target == pytest.approx(client.target)


def test_inputs_survive_being_stored(client: ClientData) -> None:
    """Frame and record together give back the inputs, number by number, also after the record went through JSON."""
    inputs = scale_window(client, Window.holding_out(4))
    again = ScaledInputs.from_record(inputs.frame(), json.loads(json.dumps(inputs.record())))
    assert again.config == inputs.config
    assert again.scales == inputs.scales
    assert (again.cutoff, again.train_rows, again.window) == (inputs.cutoff, inputs.train_rows, inputs.window)
    for name in ("target_scaled", "media_scaled", "controls_scaled", "spend"):
        assert np.array_equal(getattr(again, name), getattr(inputs, name)), name


def test_channel_silent_in_training_is_handled(client: ClientData) -> None:
    """A channel that only spends in the held-out rows keeps finite numbers and is named."""
    channel = client.config.channel_names[0]
    frame = client.frame.copy()
    frame.loc[: len(frame) - 9, channel] = 0.0
    inputs = scale_window(replace(client, frame=frame), Window.holding_out(8))
    assert inputs.scales.media[channel] == 1.0
    assert np.isfinite(inputs.media_scaled).all()
    assert channel in constant_in_training(inputs)
    assert unseen_in_training(inputs) == (channel,)
    assert (inputs.media_scaled[:, 0] == 0.0).all()
    assert inputs.spend[-1, 0] == frame[channel].iloc[-1]
    assert unseen_in_training(scale_window(replace(client, frame=frame), FULL)) == ()


def test_too_long_a_holdout_is_refused(client: ClientData) -> None:
    """The message names window, rows found and rows wanted."""
    with pytest.raises(DataError, match=r"window 'h99': found 1 training rows of 100 .* wanted at least"):
        scale_window(client, Window.holding_out(99))


def test_dates_are_kept(client: ClientData) -> None:
    """Every row keeps its date, in order."""
    pd.testing.assert_index_equal(scale_window(client, FULL).dates, client.dates, check_names=False)
