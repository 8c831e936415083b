"""A client's stored results in the form that the report is made from.

Here: the stored parts of the report's inputs, rendering the page.
Not here: gathering, what the report says and how it looks (mmm_engine.report), whether it may be published
(publication.py).
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from mmm_assets import verdicts
from mmm_assets.runs import Refresh
from mmm_assets.storage.results import ClientResults
from mmm_assets.types import DataFrame, History
from mmm_engine.client.windows import FULL
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.report.inputs import Audience, ReportInputs, RunInfo

LIBRARIES = (
    "pymc", "pymc-marketing", "nutpie", "pytensor", "llvmlite", "arviz", "numpy", "pandas", "xarray",
    "dagster", "duckdb",
)  # fmt: skip


def render(inputs: ReportInputs, audience: Audience = "analyst") -> str:
    """The report as one self-contained page; the client's links to the analyst's, which lies beside it."""
    from mmm_engine.report.render import build_report

    return build_report(inputs, audience=audience, diagnostics=f"{inputs.client}.html")


def budget_words(inputs: ReportInputs) -> str:
    """What to do with the coming budget, in a few words."""
    from mmm_engine.report.glance import budget

    return budget(inputs)


def at_a_glance(inputs: ReportInputs) -> tuple[str, str]:
    """The verdict and why in one sentence, and a small picture of the fit as Markdown."""
    from mmm_engine.report.glance import glance, sentence

    return sentence(inputs), glance(inputs)


def report_inputs(results: ClientResults, history: History, run: RunInfo) -> ReportInputs:
    """Everything the report of a client is made from; window ``full`` must be among the results."""
    from mmm_engine.report.gather import gather_report
    from mmm_engine.scores.drift import drift_scores

    client = results.data.config.client
    recorded = history.read(client)
    against_past = verdicts.of_drift(recorded, results.data.config.thresholds)
    return gather_report(
        results.data,
        results.windows[FULL],
        [stored for window, stored in results.windows.items() if window != FULL],
        verdicts=(*results.verdicts, against_past),
        run=run,
        recovery=_recovery(results),
        stability=_stability(results),
        forecast=results.forecast,
        ledger=history.ledger(client),
        previous=previous_refresh(recorded, run.run_id),
        diff=results.diff,
        drift=drift_scores(recorded),
        advice=results.advice,
        advice_ledger=history.advice.read(client),
    )


def _recovery(results: ClientResults) -> DataFrame | None:
    """Scores of the refresh, its channels as the last audit judged them where there was one."""
    from mmm_engine.fleets.recovery import with_identification

    recovery, identification = results.recovery, results.audit.identification
    return (
        recovery
        if recovery is None or identification is None
        else with_identification(recovery, identification)
    )


def _stability(results: ClientResults) -> DataFrame | None:
    """Scores of the refresh and, with splits of their own, of the last audit."""
    import pandas as pd

    parts = [frame for frame in (results.stability, results.audit.sensitivity) if frame is not None]
    return pd.concat(parts, ignore_index=True) if parts else None


def run_info(results: ClientResults, refresh: Refresh) -> RunInfo:
    """How to derive the report's numbers again."""
    from mmm_engine.report.gather import library_versions
    from mmm_engine.report.inputs import RunInfo

    return RunInfo(
        data_version=results.data.data_version,
        config_version=results.data.config.config_version,
        engine_version=ENGINE_VERSION,
        versions={"python": platform.python_version(), **library_versions(LIBRARIES)},
        seed=int(results.windows[FULL].attrs["seed"]),
        recorded_at=refresh.ended,
        command=" && ".join(_commands(results, refresh)),
        seconds=refresh.seconds,
        run_id=refresh.id,
    )


def _commands(results: ClientResults, refresh: Refresh) -> list[str]:
    """What repeats every number of the page, oldest first: a window or an audit may be of an earlier command."""
    fleets = (results.recovery, results.stability, results.forecast, *results.audit.frames)
    stamps = [window.attrs for window in results.windows.values()]
    stamps += [frame.attrs for frame in fleets if frame is not None]
    made = sorted((str(stamp.get("refreshed_at", "")), str(stamp.get("command", ""))) for stamp in stamps)
    commands = [command for _, command in made if command and command != refresh.command]
    return [*dict.fromkeys(commands), refresh.command]


def previous_refresh(rows: DataFrame, run_id: str) -> DataFrame | None:
    """The rows, of a client's history, of the refresh before ``run_id``; None without one: an audit is no refresh."""
    refreshes = rows.loc[(rows["window"] == FULL.name) & (rows["split"] == "train"), "run_id"]
    earlier = rows[rows["run_id"].isin(set(refreshes) - {run_id})]
    if earlier.empty:
        return None
    last = earlier.sort_values("recorded_at", kind="stable")["run_id"].iloc[-1]
    before: DataFrame = earlier[earlier["run_id"] == last].reset_index(drop=True)
    return before
