"""Small windows of made-up clients for the tests of the model: rows from a seed, no file, no known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from mmm_engine.client.config import ClientConfig
from mmm_engine.client.windows import Window
from mmm_engine.model.arrays import first_rows, model_data
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.specification import dimension_labels, model_specification
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.window import ScaledInputs, Scales

EVENTS = {"launch": ["2022-03-01"], "sale": [{"start": "2022-07-04", "end": "2022-07-12"}]}
HOLIDAYS = {"country": "DE", "days": {"New Year": ["2022-01-10"], "Labour Day": ["2022-02-01", "2022-02-03"]}}
LIFTS = [
    {"channel": "tv", "date": "2022-02-09", "x": 20.0, "delta_x": 10.0, "delta_y": 60.0, "sigma": 20.0},
    {"channel": "search", "date": "2022-06-06", "x": 30.0, "delta_x": -15.0, "delta_y": -40.0, "sigma": 30.0},
]

EXPERIMENTS = [
    {"channel": "tv", "date": "2022-02-07", "end": "2022-02-27", "cool_down": 2, "share": 0.25, "x": 5.0,
     "delta_x": 2.5, "delta_y": 40.0, "sigma": 20.0, "heterogeneity": 0.3, "ageing": 0.4},
    {"channel": "search", "date": "2022-06-06", "x": 30.0, "delta_x": -15.0, "delta_y": -40.0, "sigma": 30.0},
    {"channel": "tv", "date": "2022-05-02", "end": "2022-05-15", "delta_x": -6.0, "delta_y": -30.0, "sigma": 15.0,
     "ageing": 0.2},
]  # fmt: skip
"""Three weeks of television in a quarter of the regions and two weeks of less everywhere, a week of less search."""


def small_config(**model: Any) -> ClientConfig:
    """A client with three channels and two controls.

    `model` goes into the model section, but for columns, `lift_tests` and `sampler`.
    """
    sampler = model.pop("sampler", {"draws": 300, "tune": 300, "chains": 2, "seed": 7, "ess_target": None})
    return ClientConfig.model_validate(
        {
            "client": "toy",
            "data": "toy.csv",
            "date": "date",
            "target": {"column": "sales"},
            "channels": model.pop("channels", ["tv", "radio", "search"]),
            "controls": model.pop("controls", ["price", "promo"]),
            "lift_tests": model.pop("lift_tests", []),
            "model": {
                "preset": "toolkit",
                "adstock": {"kind": "geometric", "max_lag": 4},
                "n_basis": 12,
                **model,
            },
            "sampler": sampler,
        }
    )


def small_inputs(rows: int = 60, held_out: int = 8, seed: int = 0, **model: Any) -> ScaledInputs:
    """A window of `rows` rows whose target follows its media, the last `held_out` of them held out.

    Rows are weekly; daily where days of the week have effects.
    """
    config = small_config(**model)
    rng = np.random.default_rng(seed)
    channels, controls = len(config.channels), len(config.controls)
    media = rng.gamma(1.0, 1.0, (rows, channels)) * (rng.random((rows, channels)) < 0.8)
    media /= media[: rows - held_out].max(axis=0)
    extra = np.column_stack([rng.random(rows) for _ in range(controls)]) if controls else np.zeros((rows, 0))
    target = 0.4 + (0.4 * media / (0.8 + media)).sum(axis=1) + 0.1 * extra.sum(axis=1)
    target = target + 0.03 * rng.standard_normal(rows)
    target /= target[: rows - held_out].max()
    return ScaledInputs(
        window=Window.holding_out(held_out),
        config=config,
        calendar=_calendar(rows, daily=config.model.weekly_seasonality),
        scales=Scales(
            1000.0,
            dict.fromkeys(config.channel_names, 1.0 if config.model.saturation == "log" else 50.0),
            dict.fromkeys(config.control_names, 2.0),
        ),
        train_rows=rows - held_out,
        target_scaled=target,
        media_scaled=media,
        controls_scaled=extra,
        spend=media * 50.0,
        data_version="0" * 12,
    )


def _calendar(rows: int, *, daily: bool) -> Calendar:
    step = 1 if daily else 7
    return Calendar(np.datetime64("2022-01-03") + step * np.arange(rows), "day" if daily else "week")


def drawn_from_prior(inputs: ScaledInputs, draws: int = 30) -> xr.DataTree:
    """Parameters drawn from the prior, in the form of a posterior: for tests that need draws but no fit."""
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    values = draw_parameters(specification, train, draws, np.random.default_rng(0))
    labels = dimension_labels(inputs.config, specification)
    variables, used = {}, {}
    for spec in specification.parameters:
        dims = ("chain", "draw") if spec.dim is None else ("chain", "draw", spec.dim)
        variables[spec.name] = (dims, values[spec.name][None])
        if spec.dim is not None:
            used[spec.dim] = labels[spec.dim]
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords=used)})
