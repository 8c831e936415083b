"""Forecasts of a public retailer with sharp seasons under several options, against the seasonal naive forecast.

    python -m tests.benchmarks.retail                          # the last windows h12 and h08, every option
    python -m tests.benchmarks.retail --origins 5 --options plain,season6

The rows are those of `retail` in the folder of public data beside the checkout (209 weeks, ten channels, MIT licence).
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.holidays import public_holidays
from mmm_engine.client.windows import Window
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import scale_window

ROWS = Path(__file__).parents[3] / "shared" / "data" / "retail" / "data.csv"
CONTROLS = ("me_ics_all", "me_gas_dpg", "st_ct", "mrkdn_pdm")
BETWEEN_ORIGINS = 13
SAMPLER = SamplerConfig(draws=400, tune=400, chains=2, ess_target=None)


def options() -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
    """Controls and settings of the section ``model`` by the name of the option."""
    us = public_holidays("US", None, datetime.date(2014, 8, 3), datetime.date(2018, 7, 29))
    holidays = {"holidays": us.model_dump(mode="json")}
    return {
        "plain": (CONTROLS, {}),
        "season2": (CONTROLS, {"yearly_seasonality": 2}),
        "season6": (CONTROLS, {"yearly_seasonality": 6}),
        "season6_us": (CONTROLS, {"yearly_seasonality": 6, **holidays}),
        "season6_us_t": (CONTROLS, {"yearly_seasonality": 6, **holidays, "likelihood": "student_t"}),
        "season10": ((), {"yearly_seasonality": 10}),
        "season10_t": ((), {"yearly_seasonality": 10, "likelihood": "student_t"}),
        "season10_constant": ((), {"yearly_seasonality": 10, "baseline": None}),
        "season10_trend": ((), {"yearly_seasonality": 10, "baseline": None, "trend": {"changepoints": 4}}),
        "season10_us_t": ((), {"yearly_seasonality": 10, **holidays, "likelihood": "student_t"}),
        "season10_us_trend": (
            (),
            {"yearly_seasonality": 10, **holidays, "baseline": None, "trend": {"changepoints": 4}},
        ),
        "season10_weeks": ((), {"yearly_seasonality": 10, "events": peak_weeks(), "likelihood": "student_t"}),
        "season10_controls": (CONTROLS, {"yearly_seasonality": 10, **holidays}),
    }


def peak_weeks() -> dict[str, list[dict[str, str]]]:
    """One event for each week from Thanksgiving to New Year, the same weeks each year."""
    events: dict[str, list[dict[str, str]]] = {}
    for year in range(2014, 2018):
        first = datetime.date(year, 11, 1)
        thanksgiving = first + datetime.timedelta(days=(3 - first.weekday()) % 7 + 21)
        sunday = thanksgiving - datetime.timedelta(days=4)
        for week in range(6):
            start = sunday + datetime.timedelta(weeks=week)
            end = start + datetime.timedelta(days=6)
            events.setdefault(f"peak_{week}", []).append({"start": f"{start}", "end": f"{end}"})
    return events


def client(frame: pd.DataFrame, controls: tuple[str, ...], model: dict[str, Any]) -> ClientConfig:
    """The client with these controls, of any sign, and settings."""
    return client_config_from_mapping(
        {
            "client": "retail",
            "data": "retail.csv",
            "date": "wk_strt_dt",
            "target": "sales",
            "channels": [name for name in frame if name.startswith("mdsp_") and frame[name].any()],
            "controls": [{"column": name, "effect": "any"} for name in controls],
            "model": {"adstock": {"kind": "geometric", "max_lag": 8}, **model},
        }
    )


def main() -> None:
    """Print skill and coverage of each option, window and origin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--options", default=",".join(options()))
    parser.add_argument("--windows", default="12,8")
    parser.add_argument("--origins", type=int, default=1)
    chosen = parser.parse_args()
    frame = pd.read_csv(ROWS)
    for name in chosen.options.split(","):
        config = client(frame, *options()[name])
        for held_out in map(int, chosen.windows.split(",")):
            skills, inside = [], []
            for origin in range(chosen.origins):
                data = client_data_from_frame(config, frame.iloc[: len(frame) - BETWEEN_ORIGINS * origin])
                scores = fit_window(scale_window(data, Window.holding_out(held_out)), sampler=SAMPLER).scores
                test = scores.query("split == 'test' and channel == 'all'").set_index("metric")["value"]
                skills.append(round(float(test["skill"]), 3))
                inside.append(float(test["coverage_90"]))
            mean = sum(skills) / len(skills)
            coverage = sum(inside) / len(inside)
            print(
                f"{name} h{held_out:02d}: skill {mean:.2f} {skills}, 90% intervals hold {coverage:.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
