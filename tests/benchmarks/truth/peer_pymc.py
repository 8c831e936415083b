"""One fit by pymc-marketing, in a process of its own: `python -P peer_pymc.py FOLDER`.

Here: its `MMM` with the priors it comes with, or with those that its guide derives from the split of spend.
Not here: what a tool is given and what it answers (`peer_exchange.py`, which has the files' form). Nothing of the
project is imported, so that a tool never depends on it.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def main(folder: Path) -> None:
    """Fit the rows of a folder; write ``answer.npz`` and ``answer.json`` beside them."""
    import pymc_marketing
    from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation

    warnings.filterwarnings("ignore")
    request = json.loads((folder / "request.json").read_text())
    rows = pd.read_csv(folder / "rows.csv", parse_dates=["date"])
    columns = [channel["column"] for channel in request["channels"]]
    rows["t"] = np.linspace(0.0, 1.0, len(rows))  # it has no trend of its own; its guide adds this column
    controls = [*request["controls"], "t"]
    mmm = MMM(
        date_column="date",
        target_column="sales",
        channel_columns=columns,
        control_columns=controls,
        adstock=GeometricAdstock(l_max=request["max_lag"]),
        saturation=LogisticSaturation(),
        yearly_seasonality=request["yearly_seasonality"],
        model_config=spend_share_priors(request, rows) if request["advice"] else None,
    )
    start, cpu_start = time.perf_counter(), time.process_time()
    sampled = mmm.fit(
        rows[["date", *columns, *controls]],
        rows["sales"],
        draws=request["draws"],
        tune=request["tune"],
        chains=request["chains"],
        cores=request["cores"],
        random_seed=request["seed"],
        progressbar=False,
        nuts_sampler="nutpie",
    )
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    posterior = sampled["posterior"].to_dataset()
    scaled = posterior["channel_contribution"].sum("date").transpose("chain", "draw", "channel")
    contribution = scaled.sel(channel=columns).to_numpy() * float(
        rows["sales"].max()
    )  # scaled by the maximum
    parameters = {
        variable.name: posterior[variable.name].transpose("chain", "draw", ...).to_numpy()
        for variable in mmm.model.free_RVs
    }
    np.savez(folder / "answer.npz", contribution=contribution, **parameters)
    facts = {
        "tool": f"pymc-marketing {pymc_marketing.__version__}",
        "sample_seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "divergences": int(sampled["sample_stats"]["diverging"].sum()),
    }
    (folder / "answer.json").write_text(json.dumps(facts))


def spend_share_priors(request: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """saturation_beta ~ HalfNormal(channels × share of the spend), as in the example notebook of its guide."""
    from pymc_extras.prior import Prior

    return {"saturation_beta": Prior("HalfNormal", sigma=spend_share_scales(request, rows), dims="channel")}


def spend_share_scales(request: dict[str, Any], rows: pd.DataFrame) -> np.ndarray:
    """Paid channels × share of the spend, mean 1; organic channels, which have no spend, get that mean."""
    paid = np.array([channel["paid"] for channel in request["channels"]])
    spend = np.array([rows[channel["cost"] or channel["column"]].sum() for channel in request["channels"]])
    return np.where(paid, paid.sum() * spend / spend[paid].sum(), 1.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
