"""Report inputs made up by hand: every frame a report needs, without a fit.

The numbers come from a small seeded simulation whose "posterior" is the truth times log-normal draws, so frames
agree with each other: the decomposition adds up to the prediction, returns are contributions over spend, and
response curves run through today's average spend.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd

from mmm_engine.client.windows import FULL, STANDARD_WINDOWS, Window
from mmm_engine.report.inputs import ReportInputs, RunInfo, TargetKind
from mmm_engine.rows.finding import Finding
from mmm_engine.scores.verdict import Verdict
from tests.engine.report.case_client import Case, simulated_case
from tests.engine.report.case_frames import (
    adstock_frame,
    curves_frame,
    decomposition_frame,
    diff_frame,
    drift_frame,
    evidence_frame,
    findings,
    forecast_frame,
    ledger_frame,
    multiplier_frame,
    previous_frame,
    recovery_frame,
    stability_frame,
    verdicts,
)
from tests.engine.report.case_windows import window_report

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


def ms_inputs(seed: int = 7) -> ReportInputs:
    """A 13-channel weekly revenue client with all four windows and every optional frame of the first version."""
    case = simulated_case(
        MS_CHANNELS, rows=161, level=410_000.0, seed=seed, controls=("events", "emails_delivered")
    )
    return _inputs(case, "ms", "ecommerce_revenue", "revenue", unpaid="youtube_organic_views")


def leads_inputs(seed: int = 11) -> ReportInputs:
    """A 4-channel weekly conversions client with one held-out window and no optional frame."""
    case = simulated_case(LEADS_CHANNELS, rows=104, level=900.0, seed=seed, controls=())
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


def _inputs(case: Case, client: str, target: str, kind: TargetKind, unpaid: str) -> ReportInputs:
    windows = {window: window_report(case, window, kind, unpaid) for window in STANDARD_WINDOWS}
    full = windows[FULL]
    windows[FULL] = replace(full, scores=pd.concat([full.scores, evidence_frame(case)], ignore_index=True))
    return ReportInputs(
        client=client,
        target_name=target,
        target_kind=kind,
        period="week",
        currency_unit="EUR",
        windows=windows,
        decomposition=decomposition_frame(case),
        curves=curves_frame(case),
        multiplier=multiplier_frame(case),
        spend=pd.DataFrame(
            {
                "channel": list(case.spend.columns),
                "spend": case.spend.sum().to_numpy(),
                "unit": ["views" if name == unpaid else "EUR" for name in case.spend.columns],
            }
        ),
        recovery=recovery_frame(case),
        stability=stability_frame(case),
        forecast=forecast_frame(case),
        findings=findings(case),
        verdicts=verdicts(),
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
        adstock=adstock_frame(case),
        ledger=ledger_frame(case),
        previous=previous_frame(case),
        diff=diff_frame(case),
        drift=drift_frame(),
    )
