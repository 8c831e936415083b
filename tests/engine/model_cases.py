"""Small windows of made-up clients for the tests of the model: rows from a seed, no file, no known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.config import ClientConfig
from mmm_engine.scaling import ScaledInputs, Scales


def small_config(**model: Any) -> ClientConfig:
    """A client with three channels and two controls; `model` goes into the model section."""
    return ClientConfig.model_validate(
        {
            "client": "toy",
            "data": "toy.csv",
            "date": "date",
            "target": {"column": "sales"},
            "channels": model.pop("channels", ["tv", "radio", "search"]),
            "controls": model.pop("controls", ["price", "promo"]),
            "model": {"adstock": {"kind": "geometric", "max_lag": 4}, "n_basis": 12, **model},
            "sampler": {"draws": 300, "tune": 300, "chains": 2, "seed": 7},
        }
    )


def small_inputs(rows: int = 60, held_out: int = 8, seed: int = 0, **model: Any) -> ScaledInputs:
    """A window of `rows` rows whose target follows its media, the last `held_out` of them held out."""
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
        window="h08",
        config=config,
        period="week",
        scales=Scales(
            1000.0,
            dict.fromkeys(config.channel_names, 1.0 if config.model.saturation == "log" else 50.0),
            dict.fromkeys(config.control_names, 2.0),
        ),
        dates=pd.date_range("2022-01-03", periods=rows, freq="W-MON", name="date"),
        train_rows=rows - held_out,
        target_scaled=target,
        media_scaled=media,
        controls_scaled=extra,
        spend=media * 50.0,
        data_version="0" * 12,
    )
