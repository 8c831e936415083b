"""One fit by Meridian, in an environment of its own: `MERIDIAN_PYTHON -P peer_meridian.py FOLDER`.

Here: its national model with its defaults, or with the knots that it selects by itself.
Not here: what a tool is given and what it answers (`peer_exchange.py`, which has the files' form). Nothing of the
project is imported: its environment has none of it.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def main(folder: Path) -> None:
    """Fit the rows of a folder; write ``answer.npz`` and ``answer.json`` beside them."""
    import meridian
    from meridian.analysis.analyzer import Analyzer
    from meridian.model import model, spec

    warnings.filterwarnings("ignore")
    request = json.loads((folder / "request.json").read_text())
    rows = pd.read_csv(folder / "rows.csv")
    paid = [channel for channel in request["channels"] if channel["paid"]]
    organic = [channel["column"] for channel in request["channels"] if not channel["paid"]]
    settings = spec.ModelSpec(max_lag=request["max_lag"], enable_aks=request["advice"])
    fitted = model.Meridian(input_data=_input_data(request, rows, paid, organic), model_spec=settings)
    start, cpu_start = time.perf_counter(), time.process_time()
    fitted.sample_posterior(
        n_chains=request["chains"],
        n_adapt=request["tune"] // 2,
        n_burnin=request["tune"] - request["tune"] // 2,
        n_keep=request["draws"],
        seed=request["seed"],
    )
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    outcome = np.asarray(Analyzer(fitted).incremental_outcome(use_kpi=request["conversions"]))
    order = [channel["column"] for channel in paid] + organic
    columns = [channel["column"] for channel in request["channels"]]
    contribution = outcome[:, :, [order.index(column) for column in columns]]
    sampled = fitted.inference_data
    np.savez(
        folder / "answer.npz", contribution=contribution, **varying_parameters(sampled.posterior.data_vars)
    )
    facts = {
        "tool": f"Meridian {meridian.__version__}",
        "sample_seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "divergences": int(sampled.sample_stats["diverging"].sum()),
    }
    (folder / "answer.json").write_text(json.dumps(facts))


def _input_data(
    request: dict[str, Any], rows: pd.DataFrame, paid: list[dict[str, Any]], organic: list[str]
) -> Any:
    from meridian.data.data_frame_input_data_builder import DataFrameInputDataBuilder

    columns = [channel["column"] for channel in paid]
    costs = [channel["cost"] or channel["column"] for channel in paid]
    kind = "non_revenue" if request["conversions"] else "revenue"
    builder = DataFrameInputDataBuilder(kpi_type=kind)
    builder = builder.with_kpi(rows, kpi_col="sales", time_col="date")
    builder = builder.with_media(rows, columns, costs, columns, time_col="date")
    if organic:
        builder = builder.with_organic_media(rows, organic, organic, media_time_col="date")
    if request["controls"]:
        builder = builder.with_controls(rows, request["controls"], time_col="date")
    return builder.build()


def varying_parameters(posterior: Mapping[Any, Any]) -> dict[str, Any]:
    """Elements that vary, shape (chain, draw, element): deviations of the only geo are constant, with no R-hat."""
    elements = {
        str(name): np.asarray(values).reshape(*np.shape(values)[:2], -1) for name, values in posterior.items()
    }
    varying = {name: values[..., np.ptp(values, axis=(0, 1)) > 0] for name, values in elements.items()}
    return {name: values for name, values in varying.items() if values.shape[2]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
