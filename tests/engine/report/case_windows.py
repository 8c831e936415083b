"""Fitted windows of the simulated client, as a report takes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.client.windows import Window
from mmm_engine.posterior.chain_views import chain_frame
from mmm_engine.report.inputs import TargetKind, WindowReport
from tests.engine.report.case_client import DRAWS, QUANTILES, Case, quantiles, score


def window_report(case: Case, window: Window, kind: TargetKind, unpaid: str) -> WindowReport:
    """One window, its forecasts the further off the more rows it holds out."""
    horizon = window.holdout
    rng = np.random.default_rng([case.seed, horizon])
    train = len(case.dates) - horizon
    draws = sum(case.parts.values()) * (1 + 0.01 * horizon / 12) + rng.normal(
        0, case.noise, (DRAWS, len(case.dates))
    )
    frame = pd.DataFrame(
        {"date": case.dates, "split": np.where(np.arange(len(case.dates)) < train, "train", "test")}
    )
    pit = (draws < case.actual).mean(axis=0)
    frame = frame.assign(actual=case.actual, mean=draws.mean(axis=0), **quantiles(draws), pit=pit)
    parameters = _parameters(case, rng)
    return WindowReport(
        window=window,
        cutoff=case.dates[train - 1],
        horizon=horizon,
        scores=_scores(frame, horizon),
        health=_health(horizon),
        predictions=frame,
        returns=returns_frame(case, train, kind, unpaid),
        parameters=parameters,
        chains=_chains(parameters, rng),
    )


def _scores(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    rows = []
    skills = {4: 0.41, 8: 0.28, 12: -0.07}
    for split, part in frame.groupby("split", sort=False):
        error = part["mean"] - part["actual"]
        spread = ((part["actual"] - part["actual"].mean()) ** 2).sum()
        values = {
            "mape": ((error.abs()) / part["actual"]).mean(),
            "wape": error.abs().sum() / part["actual"].sum(),
            "nrmse": np.sqrt((error**2).mean()) / np.ptp(frame["actual"]),
            "r_squared": 1 - (error**2).sum() / spread,
            "bayes_r_squared": 0.81,
            "bias": error.sum() / part["actual"].sum(),
            "crps": 0.58 * error.abs().mean() / frame["actual"].mean(),
            "coverage_50": part["actual"].between(part["q25"], part["q75"]).mean(),
            "coverage_90": part["actual"].between(part["q05"], part["q95"]).mean(),
        }
        if split == "test":
            values["skill"] = skills[horizon]
        rows += [
            score(str(split), "all", metric, float(value), "fraction") for metric, value in values.items()
        ]
        rows.append(score(str(split), "all", "crps_units", float(0.58 * error.abs().mean()), "target"))
    return pd.DataFrame(rows)


def _health(horizon: int) -> pd.DataFrame:
    values = {
        "divergences": 3.0 if horizon == 12 else 0.0,
        "divergence_rate": 0.00075 if horizon == 12 else 0.0,
        "max_tree_depth": 7.0,
        "tree_depth_hits": 0.0,
        "rhat_max": 1.013 if horizon == 12 else 1.004,
        "ess_bulk_min": 912.0 + 10 * horizon,
        "ess_tail_min": 1043.0 + 10 * horizon,
        "bfmi_min": 0.82,
        "sample_seconds": 41.0,
    }
    return pd.DataFrame([score("all", "all", metric, value, "count") for metric, value in values.items()])


def returns_frame(case: Case, train: int, kind: TargetKind, unpaid: str) -> pd.DataFrame:
    """Returns over the first rows: contributions over spend, draw by draw."""
    rows = []
    whole = sum(part[:, :train].sum(axis=1) for part in case.parts.values())
    for number, name in enumerate(case.spend.columns):
        gained = case.parts[name][:, :train].sum(axis=1)
        spent = float(case.spend[name].iloc[:train].sum())
        per_unit = f"{kind} per {'views' if name == unpaid else 'spend'}"
        rows += [
            _return_row(name, "contribution", gained, "target"),
            _return_row(name, "share", gained / whole, "fraction"),
            _return_row(name, "roas", gained / spent, per_unit),
            _return_row(name, "mroas", gained / spent * (0.85 - 0.04 * number), per_unit),
        ]
        if kind == "conversions":
            rows.append(_return_row(name, "cpa", spent / gained, "spend per conversion"))
    return pd.DataFrame(rows)


def _return_row(channel: str, metric: str, draws: np.ndarray, unit: str) -> dict[str, object]:
    quantiles = {name: float(np.quantile(draws, level)) for name, level in QUANTILES.items()}
    return {"channel": channel, "metric": metric, "mean": float(draws.mean()), **quantiles, "unit": unit}


def _parameters(case: Case, rng: np.random.Generator) -> pd.DataFrame:
    names = ["intercept", "y_sigma"]
    names += [
        f"{p}[{c}]"
        for p in ("adstock_alpha", "saturation_lam", "saturation_alpha")
        for c in case.spend.columns
    ]
    mean = np.exp(rng.normal(-0.5, 0.6, len(names)))
    sd = mean * 0.25
    return pd.DataFrame(
        {
            "parameter": names,
            "mean": mean,
            "sd": sd,
            "q05": mean - 1.64 * sd,
            "q50": mean * 0.99,
            "q95": mean + 1.64 * sd,
            "rhat": 1 + np.abs(rng.normal(0, 0.002, len(names))),
            "ess_bulk": rng.integers(1200, 4200, len(names)).astype(float),
            "ess_tail": rng.integers(1200, 3600, len(names)).astype(float),
            "prior_mean": np.full(len(names), 0.8),
            "prior_sd": np.full(len(names), 0.6),
            "prior_q05": np.full(len(names), 0.06),
            "prior_q95": np.full(len(names), 1.96),
        }
    )


def _chains(parameters: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Four chains of 250 independent draws of every parameter, two of them divergent."""
    draws = rng.normal(parameters["mean"], parameters["sd"], (4, 250, len(parameters)))
    diverging = np.zeros((4, 250), dtype=bool)
    diverging[1, [20, 90]] = True
    posterior = xr.Dataset(
        {name: (("chain", "draw"), draws[:, :, at]) for at, name in enumerate(parameters["parameter"])}
    )
    stats = {"diverging": diverging, "energy": rng.normal(100, 5, (4, 250))}
    stats = xr.Dataset({name: (("chain", "draw"), value) for name, value in stats.items()})
    return chain_frame(xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats}), parameters)
