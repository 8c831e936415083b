"""Tables and lines that the command line prints: scores, checks, findings, histories, the end of a refresh.

Here: Rich renderables from engine values and outcomes.
Not here: commands and exit codes (the files beside this one), live progress (live_fits.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from mmm_assets.checks.latest import LatestCheck
    from mmm_assets.refreshes.chain import RefreshOutcome
    from mmm_assets.storage.results import ClientResults, ResultStore
    from mmm_assets.types import ClientData, DataFrame

SCORES = {  # heading -> (split, metric, format)
    "MAPE\ntrain": ("train", "mape", "{:.1%}"),
    "MAPE\ntest": ("test", "mape", "{:.1%}"),
    "CRPS\ntest": ("test", "crps", "{:.3f}"),
    "skill\ntest": ("test", "skill", "{:.2f}"),
    "bias\ntest": ("test", "bias", "{:+.1%}"),
    "90%\nheld": ("test", "coverage_90", "{:.0%}"),
    "\nR-hat": ("all", "rhat_max", "{:.3f}"),
    "\nESS": ("all", "ess_bulk_min", "{:.0f}"),
    "diver-\ngences": ("all", "divergences", "{:.0f}"),
    "\nseconds": ("all", "sample_seconds", "{:.1f}"),
}
OUTCOME_STYLES = {"passed": "green", "FAILED": "bold red", "warning": "yellow", "not judged": "dim"}
SCORE_ROWS = ("recorded", "client", "window", "channel", "metric", "value", "unit")
FORECAST_ROWS = ("client", "cutoff", "date", "horizon", "q05", "mean", "q95", "actual", "inside_90", "crps")
ADVICE_OUTCOMES = (
    "client", "first_date", "last_date", "advice", "advised", "spent", "expected", "delivery", "rest", "happened",
    "inside_90",
)  # fmt: skip
ADVICE_ROWS = (
    "client",
    "first_date",
    "last_date",
    "channel",
    "advice",
    "today",
    "advised",
    "expected",
    "spent",
)
SHARES = ("coverage_50", "coverage_90", "bias", "wape")


def score_table(results: ClientResults) -> Table:
    """One row per window: forecast scores and sampler health."""
    table = empty_table(f"Scores of {results.data.config.client}")
    table.add_column("\nwindow", no_wrap=True)
    for heading in SCORES:
        table.add_column(
            heading, justify="right", overflow="fold"
        )  # never cut off: better two lines than "7.…"
    for window, stored in results.windows.items():
        values = _whole_scores(stored.metrics)
        cells = [
            _written(values.get((split, metric)), template) for split, metric, template in SCORES.values()
        ]
        table.add_row(window.name, *cells)
    return table


def check_table(checks: Iterable[LatestCheck]) -> Table:
    """One row per check and outcome: its partitions, and the reason of the first of them.

    A check that was judged on some windows is not told of those that had nothing to judge.
    """
    from mmm_assets.checks.latest import NOT_JUDGED

    table = empty_table("Checks")
    for heading in ("check", "partition", "outcome"):
        table.add_column(heading, no_wrap=heading != "partition", overflow="fold")
    table.add_column("reason", overflow="fold")
    alike: dict[tuple[str, str, str], list[LatestCheck]] = {}
    for check in checks:
        alike.setdefault((check.check, check.client, check.outcome), []).append(check)
    above = ""
    judged = {(name, client) for name, client, outcome in alike if outcome != NOT_JUDGED}
    for (name, client, outcome), group in alike.items():
        if outcome == NOT_JUDGED and (name, client) in judged:
            continue
        words = Text(outcome, style=OUTCOME_STYLES.get(outcome, "bold red"))
        partitions = [group[0].partition, *(check.window for check in group[1:])]
        table.add_row("" if name == above else name, ", ".join(partitions), words, Text(group[0].reason))
        above = name
    return table


def in_need(checks: Iterable[LatestCheck]) -> list[LatestCheck]:
    """Those checks that somebody has to look at: failed, warned, or not run."""
    return [check for check in checks if check.has_failed or check.stops]


def count_lines(checks: Iterable[LatestCheck]) -> str:
    """How many checks ended how, a line each: those of data and model, which the report counts too, then the others.

    A check counts once, by the worst of its windows; "not judged" only where it was judged on none.
    """
    from mmm_assets.checks.latest import NOT_JUDGED, NOT_RUN

    worst = ("FAILED", NOT_RUN, "warning", "passed", NOT_JUDGED)
    groups: dict[str, dict[tuple[str, str], str]] = {"of data and model": {}, "of plan, history and page": {}}
    for check in checks:
        ends = groups["of data and model" if check.is_of_model else "of plan, history and page"]
        place = (check.client, check.check)
        ends[place] = min(ends.get(place, check.outcome), check.outcome, key=worst.index)
    parts: list[str] = []
    for what, ends in groups.items():
        counts = {word: sum(end == word for end in ends.values()) for word in worst}
        listed = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        if ends:
            parts.append(f"{len(ends)} check{'s' * (len(ends) != 1)} {what}: {listed}")
    return "\n".join(parts)


def plain_table(title: str, headings: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Table:
    """Rows as a table: one column for each heading, given by the name of its cells."""
    table = empty_table(title)
    for heading in headings.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*["–" if row[name] is None else str(row[name]) for name in headings])
    return table


def advice_lines(checks: Iterable[LatestCheck]) -> Iterator[Text]:
    """What each failed check means and what to do, once however many windows fail it."""
    from mmm_engine.scores.advice import advice_on

    for name in dict.fromkeys(check.check for check in checks if check.has_failed):
        advice = advice_on(name)
        if advice:
            meaning = f"{advice.meaning} What to do: {advice.remedy}"
            yield Text.assemble((f"  {name}: ", "yellow"), meaning)


def print_outcome(
    screen: Console, outcome: RefreshOutcome, results: ResultStore, *, verbose: bool = False
) -> None:
    """The end of a refresh: scores, the checks that need a look, what failed, where the report is, the verdict.

    Args:
        screen: Where to.
        outcome: How the refresh ended.
        results: What it stored.
        verbose: All checks.
    """
    from mmm_assets.checks.latest import of_evaluations
    from mmm_assets.pages.publication import Publication

    publication = Publication(root=results.root)
    if results.has_data(outcome.client):
        screen.print(score_table(results.read(outcome.client)))
    checks = of_evaluations(outcome.evaluations)
    shown = checks if verbose else in_need(checks)
    if shown:
        screen.print(check_table(shown))
    if checks:
        hint = "" if verbose else f"\nAll of them: mmm show {outcome.client} --verbose"
        screen.print(f"{count_lines(checks)}{hint}", markup=False, highlight=False)
    for line in advice_lines(checks):
        screen.print(line, highlight=False)
    for what in outcome.left_out:
        screen.print(f"Left out: {what}", markup=False)
    for failure in outcome.failures:
        screen.print(failure, style="red", markup=False, highlight=False)
    status = publication.status(outcome.client)
    report, failed = publication.report_path(outcome.client), publication.failed_path(outcome.client)
    if failed.exists():
        screen.print(f"Refused page: {failed}", markup=False, highlight=False, soft_wrap=True)
    if report.exists():
        stale = "" if status and status.published else " (stale)"
        screen.print(f"Report{stale}: {report}", markup=False, highlight=False, soft_wrap=True)
    verdict = f"{status.verdict}, " if status and outcome.has_verdict else ""
    screen.print(f"{outcome.client}: {verdict}{outcome.seconds:.0f} s", markup=False, highlight=False)


def failure_lines(outcome: RefreshOutcome) -> Iterator[str]:
    """Why a refresh did not succeed, each line with the client's name: what failed, and what each ERROR check means."""
    from mmm_assets.checks.latest import of_evaluations

    yield from (f"{outcome.client}: {failure}" for failure in outcome.failures)
    for line in advice_lines(of_evaluations(outcome.failed_checks)):
        yield f"{outcome.client}: {line.plain.strip()}"


def outcome_record(outcome: RefreshOutcome, results: ResultStore) -> dict[str, Any]:
    """The end of a refresh for programs."""
    from mmm_assets.checks.latest import of_evaluations
    from mmm_assets.pages.publication import Publication

    publication = Publication(root=results.root)
    status, report = publication.status(outcome.client), publication.report_path(outcome.client)
    return {
        "client": outcome.client,
        "succeeded": outcome.succeeded,
        "verdict": status.verdict if status and outcome.has_verdict else None,
        "published": bool(status and status.published and outcome.has_verdict),
        "report": str(report) if report.exists() else None,
        "seconds": round(outcome.seconds, 1),
        "failures": list(outcome.failures),
        "left_out": list(outcome.left_out),
        "checks": check_records(of_evaluations(outcome.evaluations)),
    }


def check_records(checks: Iterable[LatestCheck]) -> list[dict[str, str]]:
    """Outcomes of checks for programs."""
    return [
        {"check": check.check, "partition": check.partition, "outcome": check.outcome, "reason": check.reason}
        for check in checks
    ]


def finding_lines(data: ClientData) -> Iterator[Text]:
    """One line per finding of the data contract, warnings first."""
    for finding in sorted(data.findings, key=lambda finding: finding.severity != "warning"):
        style = "yellow" if finding.severity == "warning" else "dim"
        where = f"{finding.column}: " if finding.column else ""
        yield Text.assemble((f"  {finding.severity}: ", style), f"{where}{finding.message}; {finding.fix}")


def history_tables(rows: DataFrame, *, is_ledger: bool) -> Iterator[Table]:
    """Recorded scores; or the ledger: how forecasts turned out by horizon and by vintage, then the last vintage.

    Args:
        rows: What the history handed out.
        is_ledger: Whether they are forecasts.
    """
    if not is_ledger:
        yield _scores(rows)
        return
    from mmm_engine.history.ledger import HORIZON, VINTAGE, accuracy

    for by, words in ((HORIZON, "periods ahead"), (VINTAGE, "vintage (last row it was made from)")):
        turned_out = accuracy(rows, by)
        if len(turned_out):
            shares = {name: turned_out[name].map("{:.1%}".format) for name in SHARES}
            yield frame_table(turned_out.assign(**shares), f"How forecasts turned out, by {words}")
    newest = rows[rows["issued_at"] == rows.groupby("client")["issued_at"].transform("max")]
    yield frame_table(newest[list(FORECAST_ROWS)], f"The last of {len(rows)} forecasts")


def _scores(rows: DataFrame) -> Table:
    """Recorded scores, the metric with its split, without what is the same in all rows: files have every column."""
    told = rows.assign(recorded=rows["recorded_at"].map("{:%Y-%m-%d %H:%M}".format))
    split = told["split"].where(told["split"] != "all", "")
    told = told.assign(metric=(told["metric"] + " " + split).str.strip())
    named = [name for name in SCORE_ROWS if name not in ("client", "channel") or told[name].nunique() > 1]
    one = "" if "client" in named else f" of {told['client'].iloc[0]}"
    return frame_table(told[named], f"{len(rows)} scores{one}", whole=("recorded", "window", "value"))


def advice_tables(rows: DataFrame) -> Iterator[Table]:
    """Frozen advice: how it turned out over all vintages and in each, then the channels of each client's last.

    Args:
        rows: What the history handed out.
    """
    from mmm_engine.history.advice_ledger import calibration, outcomes_of
    from mmm_engine.history.tables import ALL_CHANNELS

    come = outcomes_of(rows)
    if len(come):
        judged = calibration(rows)
        shares = {name: judged[name].map("{:.1%}".format) for name in ("coverage_90", "bias", "rest")}
        yield frame_table(judged.assign(**shares), "What happened beside what advice expected")
        yield frame_table(come[list(ADVICE_OUTCOMES)], "happened = expected + delivery + rest")
    newest = rows[rows["issued_at"] == rows.groupby("client")["issued_at"].transform("max")]
    newest = newest[newest["channel"] != ALL_CHANNELS]
    vintages = rows[rows["channel"] == ALL_CHANNELS]
    yield frame_table(newest[list(ADVICE_ROWS)], f"The last of {len(vintages)} pieces of advice")


def frame_table(frame: DataFrame, title: str, whole: Sequence[str] = ()) -> Table:
    """A frame as a table; columns that are whole stay on one line where others have to be broken."""
    table = empty_table(title)
    numeric = set(frame.select_dtypes("number").columns)
    for name in frame.columns:
        table.add_column(
            str(name), justify="right" if name in numeric else "left", overflow="fold", no_wrap=name in whole
        )
    for row in frame.itertuples(index=False):
        table.add_row(*[_cell(cell) for cell in row])
    return table


def _cell(value: Any) -> str:
    """A cell as people read it: short numbers, days without a clock, a dash for what is not known."""
    if value is None or str(value) in ("<NA>", "NaT", "nan"):
        return "–"
    if isinstance(value, float):
        return f"{value:.5g}"
    return str(value).removesuffix(" 00:00:00").split(".")[0] if hasattr(value, "isoformat") else str(value)


def empty_table(title: str = "") -> Table:
    """An empty table; two spaces between columns, so that the scores of a client fit 80 columns."""
    return Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False,
        collapse_padding=True,
    )  # fmt: skip


def _whole_scores(scores: DataFrame) -> dict[tuple[str, str], float]:
    whole = scores[scores["channel"] == "all"]
    return dict(zip(zip(whole["split"], whole["metric"], strict=True), whole["value"], strict=True))


def _written(value: Any, template: str) -> str:
    return "–" if value is None or value != value else template.format(value)
