"""Frames of the simulated client that belong to all windows together: curves, scores, ledger, verdicts."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from mmm_engine.client.windows import STANDARD_WINDOWS, Window
from mmm_engine.report.inputs import ReportInputs
from mmm_engine.rows.finding import Finding
from mmm_engine.scores.verdict import Verdict, not_judged
from tests.engine.report.case_client import DRAWS, Case, quantiles, score
from tests.engine.report.case_windows import returns_frame


def decomposition_frame(case: Case) -> pd.DataFrame:
    """Mean and interval of each part, row by row."""
    frames = [
        pd.DataFrame(
            {
                "date": case.dates,
                "component": name,
                "kind": case.kinds[name],
                "mean": draws.mean(axis=0),
                "q05": np.quantile(draws, 0.05, axis=0),
                "q95": np.quantile(draws, 0.95, axis=0),
            }
        )
        for name, draws in case.parts.items()
    ]
    return pd.concat(frames, ignore_index=True)


def curves_frame(case: Case) -> pd.DataFrame:
    """Michaelis-Menten curves through today's average spend."""
    frames = []
    for number, name in enumerate(case.spend.columns):
        weekly = case.spend[name].to_numpy()
        top = weekly.max() * 1.5
        grid = np.unique(np.append(np.linspace(0, top, 41), weekly.mean()))
        half = weekly.mean() * (0.8 + 0.3 * number)
        height = case.parts[name].mean(axis=1).mean() / (weekly.mean() / (half + weekly.mean()))
        mean = height * grid / (half + grid)
        frames.append(
            pd.DataFrame(
                {
                    "channel": name,
                    "spend": grid,
                    "mean": mean,
                    "q05": mean * 0.68,
                    "q50": mean * 0.98,
                    "q95": mean * 1.4,
                    "unit": "target per period",
                    "extrapolated": grid > weekly.max(),
                    "current": grid == weekly.mean(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def multiplier_frame(case: Case) -> pd.DataFrame:
    """Media that works better in one half of the year."""
    mean = 1 + 0.18 * np.sin(2 * np.pi * np.arange(len(case.dates)) / 52 + 0.6)
    return pd.DataFrame({"date": case.dates, "mean": mean, "q05": mean - 0.11, "q95": mean + 0.12})


def recovery_frame(case: Case) -> pd.DataFrame:
    """Parameters and channels that are found less and less well; one channel is not."""
    rows = []
    for number, name in enumerate(
        ("intercept", "y_sigma", "adstock_alpha", "saturation_lam", "saturation_alpha")
    ):
        rows += [
            score("recovery", name, "recovery", 0.93 - 0.11 * number),
            score("recovery", name, "coverage_90", 1.0 - 0.04 * number, "fraction"),
            score("recovery", name, "z_score", 0.4 - 0.2 * number),
            score("recovery", name, "contraction", 0.97 - 0.15 * number),
        ]
    for number, name in enumerate(case.spend.columns):
        value = 0.22 if name.endswith("engagement_cost") else 0.9 - 0.035 * number
        rows += [
            score("recovery", name, "contribution_recovery", value),
            score("recovery", name, "contribution_coverage_90", 0.0 if value < 0.3 else 1.0, "fraction"),
        ]
    rows.append(score("recovery", "all", "simulations", 1.0, "count"))
    return pd.DataFrame(rows)


def evidence_frame(case: Case) -> pd.DataFrame:
    """Channels whose contributions are known less and less well; one cannot be read."""
    rows = [score("train", "all", "residual_autocorrelation", 0.02)]
    for number, name in enumerate(case.spend.columns):
        width = 0.9 if name.endswith("engagement_cost") else 0.1 + 0.025 * number
        rows += [
            score("train", name, "log_sd", width),
            score("train", name, "robust_log_sd", 0.9 * width),
            score("train", name, "log_contraction", 0.95),
            score("train", name, "upper_share", 0.04, "fraction"),
        ]
    return pd.DataFrame(rows)


def stability_frame(case: Case) -> pd.DataFrame:
    """Channels that move more and more, between windows and since the last refresh."""
    rows = []
    for step, split in enumerate(("windows", "refresh")):
        for number, name in enumerate(case.spend.columns):
            rows += [
                score(split, name, "overlap", 0.97 - 0.018 * number + 0.02 * step, "fraction"),
                score(split, name, "share_change", 0.002 - 0.0004 * number, "fraction"),
                score(split, name, "roas_change", 0.05 - 0.012 * number, "fraction"),
            ]
        rows.append(score(split, "all", "stability", 0.86 + 0.03 * step, "fraction"))
    return pd.DataFrame(rows)


def period_returns_frame(inputs: ReportInputs) -> pd.DataFrame:
    """Returns of 2 (1 to 3); in the last quarter the first channel spends nothing, the second brings twice that."""
    rows = []
    for span, size in (("all", 161), ("year", 52), ("quarter", 13)):
        for place, channel in enumerate(inputs.paid_channels):
            factor = {0: np.nan, 1: 2.0}.get(place, 1.0) if span == "quarter" else 1.0
            ends = {"mean": 2.0 * factor, "q05": factor, "q25": 1.5 * factor, "q50": 2.0 * factor,
                    "q75": 2.5 * factor, "q95": 3.0 * factor}  # fmt: skip
            spend = 0.0 if np.isnan(factor) else 100.0 * size
            rows.append({"span": span, "rows": size, "spend": spend, "channel": channel, "metric": "roas",
                         **ends, "unit": "revenue per spend"})  # fmt: skip
    return pd.DataFrame(rows)


def forecast_frame(case: Case) -> pd.DataFrame:
    """The next eight weeks: those of a year ago, a little higher."""
    rng = np.random.default_rng([case.seed, 99])
    dates = pd.date_range(case.dates[-1], periods=9, freq="W-MON")[1:]
    draws = case.actual[-52:-44] * 1.04 + rng.normal(0, case.noise * 1.2, (DRAWS, len(dates)))
    return pd.DataFrame({"date": dates, **quantiles(draws), "mean": draws.mean(axis=0)})


def ledger_frame(case: Case) -> pd.DataFrame:
    """Two forecasts, twelve and six weeks ago; what has come by now is filled in."""
    rng = np.random.default_rng([case.seed, 5])
    rows = []
    for issued in (len(case.dates) - 12, len(case.dates) - 6):
        for horizon in range(1, 9):
            row = issued + horizon
            known = row < len(case.dates)
            middle = (case.actual[row] if known else case.actual[-1]) * (1 + rng.normal(0, 0.05))
            rows.append(
                {
                    "issued_at": case.dates[issued],
                    "date": case.dates[issued] + pd.Timedelta(weeks=horizon),
                    "horizon": horizon,
                    "q05": middle * 0.88,
                    "q50": middle,
                    "q95": middle * 1.12,
                    "actual": case.actual[row] if known else np.nan,
                }
            )
    return pd.DataFrame(rows)


def adstock_frame(case: Case) -> pd.DataFrame:
    """Geometric carry-over, longer from channel to channel."""
    rows = []
    for number, name in enumerate(case.spend.columns):
        alpha = 0.15 + 0.045 * number
        weights = alpha ** np.arange(4)
        for lag, weight in enumerate(weights / weights.sum()):
            rows.append(
                {"channel": name, "lag": lag, "mean": weight, "q05": weight * 0.85, "q95": weight * 1.12}
            )
    return pd.DataFrame(rows)


def previous_frame(case: Case) -> pd.DataFrame:
    """History rows of the refresh before: scores, and returns of which one has doubled since."""
    common = {
        "window": "h08",
        "cutoff": case.dates[-10],
        "data_version": "77aa01c4de90",
        "config_version": "51d0a7be33c2",
        "engine_version": "0.1.0",
        "recorded_at": datetime(2024, 10, 28, 6, 9),
    }
    rows = [score("test", "all", "mape", 0.061, "fraction"), score("test", "all", "skill", 0.30)]
    frame = pd.DataFrame(rows).assign(**common)
    full = {**common, "window": "full", "cutoff": case.dates[-2]}
    returns = returns_frame(case, len(case.dates), "revenue", "youtube_organic_views")
    roas = returns[returns["metric"] == "roas"]
    moved = np.where(roas["channel"].str.contains("shopping"), 0.5, 0.98)
    before = roas.assign(split="train", value=roas["mean"] * moved)[
        ["split", "channel", "metric", "value", "unit"]
    ]
    return pd.concat([frame, before.assign(**full)], ignore_index=True)


def diff_frame(case: Case) -> pd.DataFrame:
    """The moves that ``_previous`` implies, split: 70% new weeks, 20% settings, the rest noise."""
    returns = returns_frame(case, len(case.dates), "revenue", "youtube_organic_views")
    roas = returns[returns["metric"] == "roas"]
    before = roas["mean"] * np.where(roas["channel"].str.contains("shopping"), 0.5, 0.98)
    parts = {"new periods": 0.7, "settings": 0.2, "sampler noise": 0.1}
    frames = [
        pd.DataFrame(
            {
                "channel": roas["channel"],
                "metric": "roas",
                "step": step,
                "change": (roas["mean"] - before) * part,
                "noise": 0.02 * roas["mean"],
                "before": before,
                "after": roas["mean"],
            }
        )
        for step, part in parts.items()
    ]
    return pd.concat(frames, ignore_index=True)


def drift_frame() -> pd.DataFrame:
    """A client whose forecast error has left its usual range, with too short a past for its mix."""
    reasons = ("crps has left its usual range: now 0.09, usually 0.05", "bias keeps its usual range")
    return pd.DataFrame(
        {
            "stream": ["crps", "bias", "coverage_90", "mix"],
            "value": [0.09, 0.01, 0.95, np.nan],
            "usual": [0.05, 0.02, 0.92, np.nan],
            "statistic": [4.4, -0.6, 0.3, np.nan],
            "limit": [2.9, 2.9, 3.1, np.nan],
            "alarm": [True, False, False, False],
            "reason": [
                *reasons,
                "coverage_90 keeps its usual range",
                "3 of the 26 refreshes needed are recorded",
            ],
        }
    )


def findings(case: Case) -> tuple[Finding, ...]:
    """Two findings of the data contract, where the client has the columns they are about."""
    if "google_ads_search_men_cost" not in case.spend.columns:
        return ()
    return (
        Finding(
            code="correlated_channels",
            severity="warning",
            column="google_ads_search_men_cost",
            message="correlates 0.97 with google_ads_search_women_cost",
            fix="read their ROAS together, or merge the two columns",
        ),
        Finding(
            code="target_outlier",
            severity="note",
            column="ecommerce_revenue",
            message="2 weeks lie more than 1.5 interquartile ranges above the rest, first 2022-11-28",
            fix="add an event column for Black Friday if it should be explained",
        ),
    )


def verdicts() -> tuple[Verdict, ...]:
    """Verdicts of a client that passes all but two checks and is not judged by one."""

    def passed(check: str, window: Window | None, reason: str) -> Verdict:
        return Verdict(
            check=check, passed=True, severity="error", blocking=False, reason=reason, window=window
        )

    fits = [
        passed(
            "sampler_converged",
            window,
            "R-hat is at most 1.004 (limit 1.01) and ESS at least 912 (limit 400)",
        )
        for window in STANDARD_WINDOWS[:3]
    ]
    _, h04, h08, h12 = STANDARD_WINDOWS
    return (
        passed("data_contract", None, "161 rows keep the data contract"),
        *fits,
        Verdict("sampler_converged", False, "warning", False,
                "the sampler did not converge: R-hat 1.013 (wanted at most 1.01)", {"rhat_max": 1.013}, h12),
        passed("holdout_calibration", h04, "bias +1.2%, 90% intervals hold 100%"),
        passed("holdout_calibration", h08, "bias -0.4%, 90% intervals hold 88%"),
        Verdict("holdout_skill", False, "warning", False,
                "the seasonal naive forecast wins on h12: skill 0.41 (h04), 0.28 (h08), -0.07 (h12)",
                {"skill_h12": -0.07}),
        not_judged("drift", "3 of the 26 refreshes needed are recorded"),
    )  # fmt: skip
