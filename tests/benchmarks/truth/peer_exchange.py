"""What another tool is given of a world, and what it answers: plain files in a folder.

Here: the request (`write_request`: ``rows.csv``, ``request.json``) and the answer as the numbers that are scored of any
fit (`read_answer`: ``answer.npz``, ``answer.json``).
Not here: the tools (`peer_pymc.py`, `peer_meridian.py`), the command (`peers.py`).

The answer holds draws of each channel's contribution over all rows in units of the target, shape (chain, draw,
channel), and of the tool's parameters, shape (chain, draw, …). R-hat and effective sample sizes of every tool come from
the same code, that of the engine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.posterior.convergence import convergence
from mmm_engine.rows.client_data import ClientData
from tests.benchmarks.truth.fits import FitNumbers

CONTRIBUTION = "contribution"


def write_request(data: ClientData, sampler: SamplerConfig, advice: bool, folder: Path) -> None:
    """The rows of a client with careful settings, for a tool that knows nothing of the engine.

    Controls are told in standard deviations from their mean: tools differ in whether they scale them by themselves.

    Args:
        data: The client (`clients.careful_client`); lag, season and controls are its.
        sampler: Draws, tuning, chains, seed, cores.
        advice: The tool's settings as its guide advises, instead of those it comes with.
        folder: Where the files go.
    """
    config, controls = data.config, list(data.config.control_names)
    rows = data.frame.rename(columns={config.date: "date", config.target.column: "sales"})
    costs = [channel.cost for channel in config.channels if channel.cost]
    rows = rows[["date", "sales", *config.channel_names, *costs, *controls]].copy()
    rows[controls] = (rows[controls] - rows[controls].mean()) / rows[controls].std(ddof=0)
    rows.to_csv(folder / "rows.csv", index=False, date_format="%Y-%m-%d")
    request: dict[str, Any] = {
        "channels": [
            {"column": channel.column, "cost": channel.cost, "paid": bool(paid)}
            for channel, paid in zip(config.channels, config.paid, strict=True)
        ],
        "controls": controls,
        "conversions": config.target.kind == "conversions",
        "yearly_seasonality": config.model.yearly_seasonality or None,
        "max_lag": config.model.adstock.max_lag,
        "advice": advice,
        "cores": sampler.cores,
        **{name: getattr(sampler, name) for name in ("draws", "tune", "chains", "seed")},
    }
    (folder / "request.json").write_text(json.dumps(request))


def read_answer(data: ClientData, folder: Path) -> tuple[FitNumbers, str]:
    """What a tool answered, and its name with its version.

    It passes the gate where R-hat, effective sample sizes and the share of divergent draws keep to the limits of client
    files; what only our sampler reports is not asked.

    Raises:
        ValueError: If the draws are not those of the client's channels.
    """
    facts = json.loads((folder / "answer.json").read_text())
    with np.load(folder / "answer.npz") as arrays:
        contribution = arrays[CONTRIBUTION]
        parameters = [arrays[name] for name in arrays.files if name != CONTRIBUTION]
    chains, draws, count = contribution.shape
    names = data.config.channel_names
    if count != len(names):
        raise ValueError(f"{facts['tool']} answered for {count} channels, the client has {len(names)}")
    elements = np.concatenate([values.reshape(chains, draws, -1) for values in parameters], axis=2)
    diagnostics = convergence(elements.astype(float))
    health = {
        "rhat_max": float(diagnostics.rhat.max()),
        "ess_bulk_min": float(diagnostics.ess_bulk.min()),
        "ess_tail_min": float(diagnostics.ess_tail.min()),
        "divergences": float(facts["divergences"]),
        **{name: float(facts[name]) for name in ("sample_seconds", "cpu_seconds")},
    }
    limits = ThresholdConfig()
    converged = (
        health["rhat_max"] <= limits.rhat_max
        and min(health["ess_bulk_min"], health["ess_tail_min"]) >= limits.ess_min
        and health["divergences"] / (chains * draws) <= limits.divergence_rate_max
    )
    numbers = FitNumbers(
        channels=names,
        contribution=contribution.reshape(-1, count).astype(float),
        identified=(None,) * count,
        train_rows=len(data),
        converged=converged,
        health=health,
        forecast={},
    )
    return numbers, facts["tool"]
