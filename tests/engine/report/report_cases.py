"""Report inputs made up by hand: every frame a report needs, without a fit.

The numbers come from a small seeded simulation whose "posterior" is the truth times log-normal draws, so frames
agree with each other: the decomposition adds up to the prediction, returns are contributions over spend, and
response curves run through today's average spend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
import xarray as xr

from mmm_engine.client.windows import FULL, STANDARD_WINDOWS, Window
from mmm_engine.posterior.chain_views import chain_frame
from mmm_engine.report.inputs import ReportInputs, RunInfo, TargetKind, WindowReport
from mmm_engine.rows.findings import Finding
from mmm_engine.scores.gates import Verdict

MS_CHANNELS = {
    "snapchat_cost": 0.6,
    "facebook_ads_conversions_cost": 3.1,
    "facebook_ads_brand_awareness_cost": 0.9,
    "facebook_ads_engagement_cost": 0.7,
    "google_ads_video_cost": 1.4,
    "google_ads_shopping_cost": 4.4,
    "google_ads_search_men_cost": 2.9,
    "google_ads_search_kids_cost": 2.2,
    "google_ads_display_only_cost": 0.8,
    "google_ads_search_brand_cost": 6.3,
    "google_ads_search_women_cost": 3.4,
    "google_ads_search_others_cost": 1.9,
    "youtube_organic_views": 0.05,
}
LEADS_CHANNELS = {"tv_spend": 0.011, "search_spend": 0.03, "social_spend": 0.018, "radio_spend": 0.006}
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q95": 0.95}
DRAWS = 400


@dataclass(frozen=True)
class Case:
    """The simulated client behind the frames."""

    dates: pd.DatetimeIndex
    spend: pd.DataFrame  # date x channel
    parts: dict[str, np.ndarray]  # component -> (draw, date)
    kinds: dict[str, str]
    actual: np.ndarray
    noise: float
    seed: int


def ms_inputs(seed: int = 7) -> ReportInputs:
    """A 13-channel weekly revenue client with all four windows and every optional frame of the first version."""
    case = _case(MS_CHANNELS, rows=161, level=410_000.0, seed=seed, controls=("events", "emails_delivered"))
    return _inputs(case, "ms", "ecommerce_revenue", "revenue", unpaid="youtube_organic_views")


def leads_inputs(seed: int = 11) -> ReportInputs:
    """A 4-channel weekly conversions client with one held-out window and no optional frame."""
    case = _case(LEADS_CHANNELS, rows=104, level=900.0, seed=seed, controls=())
    full = _inputs(case, "leads", "signups", "conversions", unpaid="")
    windows = {window: full.windows[window] for window in (FULL, Window.holding_out(8))}
    return replace(full, windows=windows, multiplier=None, recovery=None, stability=None, forecast=None,
                   findings=(), previous=None, adstock=None, ledger=None, diff=None, drift=None)  # fmt: skip


#: Names that a client file may hold and that must stay text: markup, template fields, other scripts, great length.
HOSTILE = {
    "snapchat_cost": """<script>window.pwned=1</script><img src=x onerror="window.pwned=2">'""",
    "google_ads_video_cost": "{{ 7*7 }} {% raw %} %{x} ${y} <b>bold</b> <a href='javascript:pwn()'>a</a> &lt;i&gt;",
    "google_ads_shopping_cost": "قناة \u202eإعلان <u>x</u> שלום",
    "google_ads_search_brand_cost": "long_" + "x" * 300,
    "google_ads_search_kids_cost": "long_" + "x" * 299 + "y",
    "google_ads_search_men_cost": "=cmd|'/C calc'!A0\r\n,\"quoted\"",
}


def hostile_inputs() -> ReportInputs:
    """The 13-channel client with hostile text wherever a client file or a check can put text."""
    inputs = ms_inputs()
    for channel, name in HOSTILE.items():
        inputs = renamed(inputs, channel, name)
    text = HOSTILE["snapchat_cost"]
    return replace(
        inputs,
        client=text,
        target_name="</title>" + text,
        currency_unit="%{x}<i>€",
        spend=inputs.spend.assign(unit=inputs.spend["unit"].replace("EUR", "%{x}<i>€")),
        findings=(Finding(code=text, severity="warning", column=text, message=text * 9, fix=text),),
        verdicts=(*inputs.verdicts, Verdict(text, False, "error", True, text, {}, Window(text, 8))),
        run=replace(inputs.run, command=text, data_version=text, versions={text: text}, run_id=text),
    )


def renamed(inputs: ReportInputs, channel: str, name: str) -> ReportInputs:
    """The same inputs with one channel under another name, in every frame."""

    def swap(frame: pd.DataFrame | None) -> pd.DataFrame | None:
        if frame is None:
            return None
        columns = [c for c in ("channel", "component", "parameter") if c in frame.columns]
        return frame.assign(**{c: frame[c].astype(object).replace(channel, name) for c in columns})

    windows = {
        key: replace(
            w,
            scores=swap(w.scores),
            returns=swap(w.returns),
            parameters=_relabelled(w.parameters, channel, name),
            chains=_relabelled(w.chains, channel, name),
        )
        for key, w in inputs.windows.items()
    }
    frames = ("decomposition", "curves", "spend", "recovery", "stability", "adstock", "previous", "diff")
    return replace(inputs, windows=windows, **{f: swap(getattr(inputs, f)) for f in frames})


def _relabelled(frame: pd.DataFrame | None, channel: str, name: str) -> pd.DataFrame | None:
    """Parameters of one channel under another name."""
    if frame is None:
        return None
    names = frame["parameter"].astype(str).str.replace(f"[{channel}]", f"[{name}]", regex=False)
    return frame.assign(parameter=names)


def score(split: str, channel: str, metric: str, value: float, unit: str = "score") -> dict[str, object]:
    """One row of a score frame."""
    return {"split": split, "channel": channel, "metric": metric, "value": value, "unit": unit}


# --- the simulated client ---------------------------------------------------------------------------------------


def _case(
    channels: dict[str, float], *, rows: int, level: float, seed: int, controls: tuple[str, ...]
) -> Case:
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2021-10-04", periods=rows, freq="W-MON")
    phase = 2 * np.pi * np.arange(rows) / 52
    truth: dict[str, np.ndarray] = {
        "baseline": level * (1 + 0.1 * np.sin(phase - 1.2) + 0.0008 * np.arange(rows))
    }
    kinds = {"baseline": "baseline"}
    spend = pd.DataFrame(index=dates)
    wave = 1 + 0.18 * np.sin(phase + 0.6)
    for number, (name, roas) in enumerate(channels.items()):
        weekly = _flights(
            rng, rows, level * 0.3 / len(channels) * (0.4 + 1.3 * rng.random()) / max(roas, 0.02)
        )
        spend[name] = weekly
        half = weekly.mean() * (0.8 + 0.3 * number)
        truth[name] = 1.6 * roas * weekly / (1 + 0.6 * weekly / half) * wave
        kinds[name] = "channel"
    for name in controls:
        truth[name] = level * 0.02 * rng.poisson(0.8, rows)
        kinds[name] = "control"
    parts = {name: np.exp(rng.normal(0, 0.03 if name == "baseline" else 0.22, (DRAWS, 1))) * value[None, :]
             for name, value in truth.items()}  # fmt: skip
    total = sum(truth.values())
    noise = 0.035 * float(np.mean(total))
    return Case(dates, spend, parts, kinds, total + rng.normal(0, noise, rows), noise, seed)


def _flights(rng: np.random.Generator, rows: int, weekly: float) -> np.ndarray:
    on = np.repeat(rng.random(rows // 6 + 1) > 0.25, 6)[:rows]
    return weekly * on * np.exp(rng.normal(0, 0.35, rows)) + weekly * 0.05


# --- frames ----------------------------------------------------------------------------------------------------


def _inputs(case: Case, client: str, target: str, kind: TargetKind, unpaid: str) -> ReportInputs:
    windows = {window: _window(case, window, kind, unpaid) for window in STANDARD_WINDOWS}
    return ReportInputs(
        client=client,
        target_name=target,
        target_kind=kind,
        period="week",
        currency_unit="EUR",
        windows=windows,
        decomposition=_decomposition(case),
        curves=_curves(case),
        multiplier=_multiplier(case),
        spend=pd.DataFrame(
            {
                "channel": list(case.spend.columns),
                "spend": case.spend.sum().to_numpy(),
                "unit": ["views" if name == unpaid else "EUR" for name in case.spend.columns],
            }
        ),
        recovery=_recovery(case),
        stability=_stability(case),
        forecast=_forecast(case),
        findings=_findings(case),
        verdicts=_verdicts(),
        run=RunInfo(
            data_version="9f2c4e1ab07d",
            config_version="51d0a7be33c2",
            engine_version="0.1.0",
            versions={"pymc": "6.0.1", "pymc-marketing": "1.3.0", "nutpie": "0.16.2"},
            seed=1,
            recorded_at=datetime(2024, 11, 4, 6, 12),
            command=f"mmm refresh {client} --seed 1",
            seconds=214.0,
            run_id="b1946ac9",
        ),
        adstock=_adstock(case),
        ledger=_ledger(case),
        previous=_previous(case),
        diff=_diff(case),
        drift=_drift(),
    )


def _window(case: Case, window: Window, kind: TargetKind, unpaid: str) -> WindowReport:
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
    frame = frame.assign(actual=case.actual, mean=draws.mean(axis=0), **_quantiles(draws), pit=pit)
    parameters = _parameters(case, rng)
    return WindowReport(
        window=window,
        cutoff=case.dates[train - 1],
        horizon=horizon,
        scores=_scores(frame, horizon),
        health=_health(horizon),
        predictions=frame,
        returns=_returns(case, train, kind, unpaid),
        parameters=parameters,
        chains=_chains(parameters, rng),
    )


def _quantiles(draws: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.quantile(draws, level, axis=0) for name, level in QUANTILES.items()}


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


def _returns(case: Case, train: int, kind: TargetKind, unpaid: str) -> pd.DataFrame:
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


def _decomposition(case: Case) -> pd.DataFrame:
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


def _curves(case: Case) -> pd.DataFrame:
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


def _multiplier(case: Case) -> pd.DataFrame:
    mean = 1 + 0.18 * np.sin(2 * np.pi * np.arange(len(case.dates)) / 52 + 0.6)
    return pd.DataFrame({"date": case.dates, "mean": mean, "q05": mean - 0.11, "q95": mean + 0.12})


def _recovery(case: Case) -> pd.DataFrame:
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
            score("recovery", name, "identified", 1.0 if value >= 0.6 else 0.5 if value >= 0.3 else 0.0),
        ]
    return pd.DataFrame(rows)


def _stability(case: Case) -> pd.DataFrame:
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


def _forecast(case: Case) -> pd.DataFrame:
    rng = np.random.default_rng([case.seed, 99])
    dates = pd.date_range(case.dates[-1], periods=9, freq="W-MON")[1:]
    draws = case.actual[-52:-44] * 1.04 + rng.normal(0, case.noise * 1.2, (DRAWS, len(dates)))
    return pd.DataFrame({"date": dates, **_quantiles(draws), "mean": draws.mean(axis=0)})


def _ledger(case: Case) -> pd.DataFrame:
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


def _adstock(case: Case) -> pd.DataFrame:
    rows = []
    for number, name in enumerate(case.spend.columns):
        alpha = 0.15 + 0.045 * number
        weights = alpha ** np.arange(4)
        for lag, weight in enumerate(weights / weights.sum()):
            rows.append(
                {"channel": name, "lag": lag, "mean": weight, "q05": weight * 0.85, "q95": weight * 1.12}
            )
    return pd.DataFrame(rows)


def _previous(case: Case) -> pd.DataFrame:
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
    returns = _returns(case, len(case.dates), "revenue", "youtube_organic_views")
    roas = returns[returns["metric"] == "roas"]
    moved = np.where(roas["channel"].str.contains("shopping"), 0.5, 0.98)
    before = roas.assign(split="train", value=roas["mean"] * moved)[
        ["split", "channel", "metric", "value", "unit"]
    ]
    return pd.concat([frame, before.assign(**full)], ignore_index=True)


def _diff(case: Case) -> pd.DataFrame:
    """The moves that ``_previous`` implies, split: 70% new weeks, 20% settings, the rest noise."""
    returns = _returns(case, len(case.dates), "revenue", "youtube_organic_views")
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


def _drift() -> pd.DataFrame:
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


def _findings(case: Case) -> tuple[Finding, ...]:
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


def _verdicts() -> tuple[Verdict, ...]:
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
        passed("holdout_skill", h04, "skill is 0.41, limit 0.0"),
        passed("holdout_skill", h08, "skill is 0.28, limit 0.0"),
        Verdict("holdout_skill", False, "warning", False, "the seasonal naive forecast is better (skill -0.07)",
                {"skill": -0.07}, h12),
    )  # fmt: skip
