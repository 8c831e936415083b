"""The whole example of the data scientists' guide, word for word, with what it logs and prints.

Not part of the test suite (tests/engine/toolkit/test_pymc_model.py runs the same on a small client);
a few minutes at full settings.

    python -m tests.benchmarks.guide --draws 250
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mmm_engine import PymcModel

DATA = Path(__file__).parents[2] / "data" / "ms.csv"


def timed(name: str, call: Callable[[], Any]) -> Any:
    """The result of a call, with a line that says how long it took."""
    start = time.perf_counter()
    result = call()
    print(f"--- {name}: {time.perf_counter() - start:.1f} s", flush=True)
    return result


def main() -> None:
    """Run the guide."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=1000, help="draws and tuning steps of every fit")
    parser.add_argument("--output", type=Path, default=Path("guide"), help="folder of the reports")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s:%(name)s:%(message)s", stream=sys.stdout)
    logging.getLogger("mmm_engine").setLevel(logging.INFO)

    data = pd.read_csv(DATA)
    target_name = "ecommerce_revenue"
    control_names = ["events", "emails_delivered"]
    channel_names = [name for name in data if name not in ("date_week", target_name, *control_names)]
    model = PymcModel(
        client_data=data,
        target_name=target_name,
        date_column="date_week",
        channel_names=channel_names,
        control_names=control_names,
        lag_max=4,
        scale_data=True,
        saturation="michaelis_menten",
        time_varying_media=True,
    )
    print(model)
    print(*(f"{name}: {prior}" for name, prior in model.model_priors.items()), sep="\n")
    timed("fit", lambda: model.fit(draws=options.draws, tune=options.draws, progressbar=False))
    print(model.summarize_variable(var_name="intercept"))
    fleets = {
        "recovery": lambda: model.recovery_fleet(progressbar=False),
        "production": lambda: model.production_fleet(progressbar=False),
        "holdout": lambda: model.holdout_fleet(holdouts=[4, 8, 12], origins=6, progressbar=False),
        "stability": lambda: model.stability_fleet(progressbar=False),
        "forecast": lambda: model.forecast_fleet(progressbar=False),
    }
    for name, run in fleets.items():
        fleet = timed(f"{name} fleet", run)
        print(fleet)
        print(json.dumps(fleet[0] if name == "holdout" else fleet.summary(), indent=1))
        report = options.output / f"{name}.html"
        timed("report", lambda fleet=fleet, report=report: fleet.generate_report(output_html=report))


if __name__ == "__main__":
    main()
