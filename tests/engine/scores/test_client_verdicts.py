"""Which results are handed to which check."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.windows import FULL
from mmm_engine.scores.client_verdicts import whole_verdicts


def _window(**medians: float) -> SimpleNamespace:
    config = client_config_from_mapping(
        {
            "client": "toy",
            "data": "toy.csv",
            "date": "date",
            "target": {"column": "sales", "kind": "revenue"},
            "channels": [
                "tv",
                {"column": "mails", "unit": "mails"},
                {"column": "views", "unit": "views", "cost": "views_cost"},
            ],
        }
    )
    scores = [("all", "all", "media_share", 0.2), ("all", "all", "media_share_prior_q95", 0.9)]
    returns = [(channel, "roas", value) for channel, value in medians.items()]
    parameters = {"parameter": ["a"], "q50": [0.5], "prior_q01": [0.0], "prior_q99": [1.0]}
    return SimpleNamespace(
        inputs=SimpleNamespace(window=FULL, horizon=0, config=config),
        metrics=pd.DataFrame(scores, columns=["split", "channel", "metric", "value"]),
        returns=pd.DataFrame(returns, columns=["channel", "metric", "q50"]),
        parameters=pd.DataFrame(parameters),
    )


def _media_plausible(**medians: float) -> bool:
    window = _window(**medians)
    verdicts = whole_verdicts([window], window.inputs.config.thresholds)
    (verdict,) = [one for one in verdicts if one.check == "media_plausible"]
    return verdict.passed


def test_bounds_of_returns_are_those_of_money():
    """A mail may bring 100, which no euro does; views that are bought are counted in what they cost."""
    assert _media_plausible(tv=3.0, mails=100.0, views=2.0)
    assert not _media_plausible(tv=100.0, mails=3.0, views=2.0)
    assert not _media_plausible(tv=3.0, mails=3.0, views=100.0)
