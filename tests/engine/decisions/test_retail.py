"""A public retailer whose sales last year's sales forecast better than any model of its media: it gets no advice."""

from __future__ import annotations

import pandas as pd
import pytest

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import FULL, Window
from mmm_engine.decisions.guards import UnfitModelError, refuse_unfit
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.client_verdicts import whole_verdicts
from tests.benchmarks.retail import CONTROLS, ROWS, client

SHORT = SamplerConfig(seed=1, draws=300, tune=300, chains=2, ess_target=None)


@pytest.mark.skipif(not ROWS.exists(), reason="the folder of public data is not beside the checkout")
def test_retail_gets_no_advice() -> None:
    """Not because short chains have not converged: forecasts of eight hidden weeks lose to the seasonal naive ones."""
    frame = pd.read_csv(ROWS)
    config = client(frame, CONTROLS, {"yearly_seasonality": 2})
    data = client_data_from_frame(config, frame)
    fits = [fit_window(scale_window(data, held), sampler=SHORT) for held in (FULL, Window.holding_out(8))]
    verdicts = whole_verdicts(fits, config.thresholds)
    with pytest.raises(UnfitModelError, match="holdout_skill"):
        refuse_unfit("retail", verdicts)
