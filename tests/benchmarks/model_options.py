"""Every option of the model, fitted briefly on data that was made with it.

Truth is drawn from the priors, the target (and the lift tests) simulated, the model refitted. One line an option:
seconds, sampler health, how many parameters lie inside their 90% interval, how well contributions are found.
Not part of the test suite: each option is compiled once per machine, half a minute each.

    python -m tests.benchmarks.model_options [--only trend,events]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from mmm_engine.client.config import ClientConfig, SamplerConfig
from mmm_engine.client.windows import FULL
from mmm_engine.fleets.recovery import prior_draws, score_refit
from mmm_engine.fleets.scored_window import fit_window
from mmm_engine.fleets.simulated_targets import simulate_targets
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.rows.client_data import client_data_from_frame
from mmm_engine.rows.window import ScaledInputs, scale_window
from mmm_engine.simulation.client import simulate_client

ROWS, CHANNELS, SEED = 80, 2, 3
SAMPLER = SamplerConfig(draws=250, tune=400, chains=2, seed=1, ess_target=None)
SIGMA = {"distribution": "HalfNormal", "sigma": 0.1}  # noise of the size that clients have
PRIORS = {"likelihood": {"distribution": "Normal", "sigma": SIGMA}}
EVENTS = {"sale": ["2021-11-22", "2022-04-18"], "launch": [{"start": "2021-08-02", "end": "2021-08-15"}]}


def options(channels: tuple[str, ...], largest: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Name of the option to what it changes in the client file."""
    table: dict[str, dict[str, Any]] = {
        **{f"adstock {kind}": {"model": {"adstock": {"kind": kind, "max_lag": 4}}} for kind in ADSTOCKS},
        **{f"saturation {kind}": {"model": {"saturation": kind}} for kind in SATURATIONS},
        "one kind per channel": {
            "channels": [
                {"column": channels[0], "adstock": {"kind": "delayed", "max_lag": 6}},
                {"column": channels[1], "saturation": "logistic"},
            ]
        },
        "time-varying media": {"model": {"time_varying_media": True, "n_basis": 12}},
        "time-varying intercept": {"model": {"time_varying_intercept": True, "n_basis": 12}},
        "yearly seasonality": {"model": {"yearly_seasonality": 2}},
        "trend": {"model": {"trend": {"changepoints": 4}}},
        "events": {"model": {"events": EVENTS}},
        "Student t": {
            "model": {
                "likelihood": "student_t",
                "priors": {
                    "likelihood": {
                        "distribution": "StudentT",
                        "nu": {"distribution": "Gamma", "alpha": 2, "beta": 0.1},
                        "sigma": SIGMA,
                    }
                },
            }
        },
        "truncated normal": {
            "model": {
                "likelihood": "truncated_normal",
                "priors": {"likelihood": {"distribution": "TruncatedNormal", "lower": 0, "sigma": SIGMA}},
            }
        },
        "control of any sign": {"controls": [{"column": "price", "effect": "any"}]},
        "lift tests": {
            "lift_tests": [
                {
                    "channel": name,
                    "date": date,
                    "x": 0.3 * size,
                    "delta_x": 0.3 * size,
                    "delta_y": 0.0,
                    "sigma": 500.0,
                }
                for date in ("2021-06-07", "2022-02-07")
                for name, size in largest.items()
            ]
        },
    }
    return table


def client_window(changes: dict[str, Any]) -> ScaledInputs:
    """All rows of the client with these settings."""
    simulation = simulate_client("options", periods=ROWS, channels=CHANNELS, seed=SEED)
    values = simulation.config.model_dump(mode="json")
    controls = [entry["column"] for entry in values["controls"]]
    values["model"] |= {"adstock": {"kind": "geometric", "max_lag": 4}, "priors": PRIORS}
    values["model"] |= changes.get("model", {})
    values |= {name: value for name, value in changes.items() if name not in ("model", "controls")}
    if "controls" in changes:
        values["controls"] = [{**changes["controls"][0], "column": controls[0]}, *values["controls"][1:]]
    return scale_window(client_data_from_frame(ClientConfig.model_validate(values), simulation.frame), FULL)


def fit_option(name: str, changes: dict[str, Any]) -> None:
    """Simulate, refit, print one line."""
    inputs = client_window(changes)
    simulated = next(simulate_targets(inputs, SEED))
    start = time.perf_counter()
    fit = fit_window(simulated.inputs, sampler=SAMPLER)
    seconds = time.perf_counter() - start
    scores = score_refit(fit, simulated, prior_draws(inputs))
    health = dict(zip(fit.health["metric"], fit.health["value"], strict=True))
    parameters = scores[scores["kind"] == "parameter"]
    contributions = scores[scores["kind"] == "contribution"]
    print(
        f"{name:<36} {seconds:6.1f} {fit.posterior.attrs['sample_seconds']:6.1f} {health['divergences']:5.0f} "
        f"{health['rhat_max']:6.3f} {int(parameters['covered'].sum()):4d} of {len(parameters):<4d} "
        f"{contributions['recovery'].median():6.2f}",
        flush=True,
    )


def main() -> None:
    """Fit all options, or those that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    wanted = [part for part in parser.parse_args().only.split(",") if part]
    plain = client_window({})
    largest = dict(
        zip(
            plain.config.channel_names,
            plain.media_scaled.max(axis=0) * plain.scales.media_array(),
            strict=True,
        )
    )
    print(
        f"{'option':<36} {'fit s':>6} {'draw s':>6} {'div':>5} {'R-hat':>6} {'inside 90%':>12} {'found':>6}"
    )
    for name, changes in options(plain.config.channel_names, largest).items():
        if not wanted or any(part in name for part in wanted):
            fit_option(name, changes)


if __name__ == "__main__":
    main()
