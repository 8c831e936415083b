"""A small client as a data scientist has it in a notebook: a frame, column names, short runs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmm_engine import PymcModel
from tests.engine.model_cases import small_inputs

CHANNELS = ["tv", "radio", "search"]
CONTROLS = ["price", "promo"]
SHORT: dict[str, Any] = {"draws": 120, "tune": 200, "chains": 2, "progressbar": False}


def shop_frame(rows: int = 60) -> pd.DataFrame:
    """Sixty weeks of three channels and two controls, original units, under a notebook's names."""
    inputs = small_inputs(rows=60, held_out=8)
    media = pd.DataFrame(inputs.media_scaled * 50.0, columns=CHANNELS)
    controls = pd.DataFrame(inputs.controls_scaled * 2.0, columns=CONTROLS)
    dates = pd.Series(inputs.dates.strftime("%Y-%m-%d"), name="week")
    target = pd.Series(inputs.target, name="sales")
    return pd.concat([dates, target, media, controls], axis=1).iloc[:rows]


def shop_model(frame: pd.DataFrame | None = None, **changes: Any) -> PymcModel:
    """The model of `model_cases.small_config(time_varying_media=True)`, whose code other tests compile as well."""
    arguments: dict[str, Any] = {
        "client_data": shop_frame() if frame is None else frame,
        "target_name": "sales",
        "date_column": "week",
        "channel_names": CHANNELS,
        "control_names": CONTROLS,
        "lag_max": 4,
        "scale_data": True,
        "saturation": "michaelis_menten",
        "time_varying_media": True,
        "number_of_basis": 12,
    }
    return PymcModel(**{**arguments, **changes})
