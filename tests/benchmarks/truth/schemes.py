"""Candidates for priors and forms of the media, by name.

Here: `SCHEMES`; each is a function of a client with careful settings (config and rows) to the config that is fitted.
Not here: every other setting (`clients.py`).

A scheme that only changes the section ``model`` is one line:

    SCHEMES["delayed"] = model_changes(adstock={"kind": "delayed"})

Mappings are merged, so that ``max_lag`` stays. One that needs the rows is a function under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import ClientConfig
from mmm_engine.rows.client_data import ClientData

Scheme = Callable[[ClientData], ClientConfig]


def model_changes(**changes: Any) -> Scheme:
    """The scheme that changes these settings of the section ``model``; mappings are merged into what is there."""

    def scheme(data: ClientData) -> ClientConfig:
        settings = data.config.model_dump(mode="json")
        settings["model"] = _merged(settings["model"], changes)
        return client_config_from_mapping(settings)

    return scheme


def spend_share(data: ClientData) -> ClientConfig:
    """Amplitudes in proportion to spend: saturation_alpha ~ HalfNormal(channels × share of the spend).

    The advice of pymc-marketing's gallery. Organic channels, which have no spend, get an average channel's 1.
    """
    paid = data.config.paid
    spend = np.where(paid, data.spend.sum(axis=0), 0.0)
    scales = np.where(paid, sum(paid) * spend / spend.sum(), 1.0)
    settings = data.config.model_dump(mode="json")
    settings["model"] |= TOOLKIT
    for channel, scale in zip(settings["channels"], scales, strict=True):
        channel["priors"]["saturation_alpha"] = {"distribution": "HalfNormal", "sigma": float(scale)}
    return client_config_from_mapping(settings)


TOOLKIT: dict[str, Any] = {
    "preset": "toolkit",
    "saturation": "michaelis_menten",
    "returns": None,
    "baseline": None,
    "likelihood_power": 1.0,
}
FREE_HILL: dict[str, Any] = {
    "saturation_slope": {"distribution": "Gamma", "mu": 1.3, "sigma": 0.6},
    "saturation_kappa": {"distribution": "HalfNormal", "sigma": 1.0},
}
MERIDIAN_ROI: dict[str, Any] = {"prior": "roas", "median": 1.2214, "level_sigma": 0.0, "channel_sigma": 0.9}

SCHEMES: dict[str, Scheme] = {
    "calibrated": model_changes(),  # the default of client files
    "calibrated_constant": model_changes(baseline=None),
    "calibrated_rows_in_full": model_changes(likelihood_power=1.0),
    "calibrated_trend": model_changes(trend={"changepoints": 12}),
    "calibrated_mm": model_changes(saturation="michaelis_menten"),
    "calibrated_delayed": model_changes(adstock={"kind": "delayed"}),
    "total_share": model_changes(returns={"prior": "total_media_share"}),
    "meridian_roi": model_changes(returns=MERIDIAN_ROI),  # its default, LogNormal(0.2, 0.9), on our model
    "toolkit": model_changes(**TOOLKIT),  # saturation_alpha Gamma(2, 1), saturation_lam HalfNormal(1)
    "spend_share": spend_share,
    "hill_toolkit": model_changes(
        **{**TOOLKIT, "saturation": "hill"}, priors=FREE_HILL
    ),  # scale HalfNormal(1.5)
}


def _merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(settings)
    for name, change in changes.items():
        before = merged.get(name)
        merged[name] = (
            _merged(before, change) if isinstance(before, Mapping) and isinstance(change, Mapping) else change
        )
    return merged
