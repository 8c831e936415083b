"""Order of channels and seed change nothing beyond Monte Carlo error, on clients that one of them decided before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmm_engine.array_types import Floats
from mmm_engine.client.client_file import read_client_config
from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.client.windows import FULL
from mmm_engine.posterior.convergence import convergence
from mmm_engine.posterior.fit import fit
from mmm_engine.results.draw_evaluation import channel_totals
from mmm_engine.rows.client_data import client_data_from_frame, read_client_data
from mmm_engine.rows.window import scale_window
from mmm_engine.scores.gates import check_convergence

SHARED = Path(__file__).parents[4] / "shared"
CLIENTS = [
    *(("cases/ordinary-client-does-not-converge/data", name) for name in ("w104", "w104b", "w52", "mon36")),
    *(("worlds", name) for name in ("w33", "w37")),
]


def _log_contributions(config: ClientConfig, folder: Path, seed: int) -> tuple[dict[str, Floats], bool]:
    """Draws of the logarithm of each channel's contribution, (chain, draw), and whether the fit passes the gate."""
    rows = read_client_data(config, folder)
    inputs = scale_window(client_data_from_frame(config, rows.frame), FULL)
    fitted = fit(inputs, sampler=SamplerConfig(seed=seed))
    totals = channel_totals(fitted.draws, fitted.training_arrays, fitted.specification)
    chains = fitted.posterior["posterior"].sizes["chain"]
    logs = np.log(totals.contribution_scaled).reshape(chains, -1, len(config.channels))
    draws = {name: logs[:, :, position] for position, name in enumerate(config.channel_names)}
    return draws, check_convergence(fitted.health, ThresholdConfig(), FULL).passed


@pytest.mark.parametrize(("place", "client"), CLIENTS, ids=[client for _, client in CLIENTS])
def test_channels_in_another_order_and_another_seed_say_the_same(place: str, client: str) -> None:
    """Both fits pass the gate, and means differ by less than five standard errors of theirs."""
    folder = SHARED / place
    if not folder.exists():
        pytest.skip(f"{folder} is not there")
    config = read_client_config(folder / f"{client}.yaml")
    turned = config.model_copy(update={"channels": config.channels[::-1]})
    (draws, passed), (others, others_passed) = (
        _log_contributions(one, folder, seed) for one, seed in ((config, 1), (turned, 2))
    )
    assert passed
    assert others_passed
    for name, logs in draws.items():
        means, variances = [], []
        for one in (logs, others[name]):
            size = float(convergence(one[:, :, None]).ess_bulk[0])
            means.append(one.mean())
            variances.append(one.var() / size)
        assert abs(means[0] - means[1]) < 5.0 * np.sqrt(sum(variances)), name
