"""What went in and how to get it out again: data findings, checks, versions.

Here: the parts of a report that let someone else re-derive it.
Not here: judgements on the model (trust.py).
"""

from __future__ import annotations

import pandas as pd

from mmm_engine.report import numbers, wording
from mmm_engine.report.page import Column, Item, Note, Notes, Section, Sheet, Table, table_of
from mmm_engine.report.sections.far_off import rows_far_off
from mmm_engine.report.subject import Subject
from mmm_engine.scores.advice import advice_on
from mmm_engine.scores.verdict import Verdict, by_check


def checks_section(subject: Subject) -> Section | None:
    """Every check with its outcome and reason."""
    if not subject.inputs.verdicts:
        return None
    results = by_check(subject.inputs.verdicts)
    rows = [
        {
            "check": wording.safe_text(verdict.check, 80).replace("_", " "),
            "window": subject.window_words(verdict.window) if verdict.window else "",
            "outcome": f"failed ({verdict.severity})" if verdict.failed else verdict.outcome,
            "reason": verdict.reason,
            "remedy": _remedy(verdict),
        }
        for result in results
        for verdict in sorted(result.verdicts, key=lambda verdict: (not verdict.failed, not verdict.judged))
    ]
    counts = {
        word: sum(result.outcome == word for result in results) for word in ("passed", "failed", "not judged")
    }
    reading = (
        f"{counts['passed']} of {wording.count(len(results), 'check')} passed, {counts['failed']} failed"
    )
    reading += f", {counts['not judged']} could not be judged" if counts["not judged"] else ""
    columns = {"check": Column("Check", "name"), "window": Column("Window", "text")}
    columns |= {"outcome": Column("Outcome", "text"), "reason": Column("Reason", "text")}
    if any(row["remedy"] for row in rows):
        columns |= {"remedy": Column("What it means, what to do", "text")}
    sheet = Sheet(
        "all-checks",
        "All checks",
        wording.sentence(reading),
        table_of(pd.DataFrame(rows), "Outcome of every check", columns),
    )
    return Section("checks", "Checks", "Checks", "What was tested before this page was published.", (sheet,))


def _remedy(verdict: Verdict) -> str:
    """What a failure means and what to do; nothing for what passed."""
    advice = advice_on(verdict.check)
    return f"{advice.meaning} {advice.remedy}" if advice and verdict.failed else ""


def findings_section(subject: Subject) -> Section:
    """What the data contract noticed."""
    findings = sorted(subject.inputs.findings, key=lambda finding: finding.severity != "warning")
    items = tuple(
        Note(
            "care" if finding.severity == "warning" else "plain",
            f"{wording.safe_text(finding.column, 120)}: {wording.safe_text(finding.code, 80).replace('_', ' ')}"
            if finding.column
            else wording.safe_text(finding.code, 80).replace("_", " "),
            wording.sentence(wording.safe_text(finding.message)),
            wording.sentence(wording.safe_text(finding.fix)) if finding.fix else "",
        )
        for finding in findings
    )
    warnings = sum(finding.severity == "warning" for finding in findings)
    title = f"{wording.count(warnings, 'warning')} and {wording.count(len(items) - warnings, 'note')}"
    far = rows_far_off(subject)
    if far:
        items += (
            Note(
                "plain",
                "far off the model",
                far,
                "Look at what happened then; a one-off is an event.",
            ),
        )
    nothing = (
        Note("good", "Nothing to report", "The rows keep the data contract and nothing in them stands out."),
    )
    notes = Notes("data-findings", title if items else "No findings", items or nothing)
    lead = "What the checks on the input file noticed; none of it stopped the fit."
    return Section("findings", "Data findings", "Data", lead, (notes, _channels_sheet(subject)))


def provenance_section(subject: Subject) -> Section:
    """Hashes, versions, seed, time and command."""
    run = subject.inputs.run
    facts: list[tuple[str, str]] = [
        ("Client", wording.safe_text(subject.inputs.client)),
        ("Command", run.command),
        ("Seed", str(run.seed)),
        ("Data version", run.data_version),
        ("Settings version", run.config_version),
        ("Engine version", run.engine_version),
        ("Run", run.run_id or "not recorded"),
        ("Recorded", f"{run.recorded_at:%Y-%m-%d %H:%M}"),
        ("Time taken", f"{numbers.decimal(run.seconds, 0)} s"),
    ]
    facts += [(f"Library {name}", version) for name, version in sorted(run.versions.items())]
    table = Table("Facts of the run", (Column("Fact", "text"), Column("Value", "code")), tuple(facts))
    sheet = Sheet(
        "re-derive",
        "Facts of the run",
        "The same command on the same data, settings and versions gives the same numbers, to the last digit on the "
        "same kind of processor; what changed since the last refresh also hangs on that refresh.",
        table,
    )
    lead = "Everything needed to compute every number on this page again."
    return Section("provenance", "How to re-derive it", "Re-derive", lead, (sheet,))


def _channels_sheet(subject: Subject) -> Item:
    spend = subject.inputs.spend
    frame = spend.assign(label=[subject.label(str(name)) for name in spend["channel"]])
    frame = frame.assign(channel=frame["channel"].astype(str)).sort_values("spend", ascending=False)
    columns = {
        "label": Column("Channel", "name"),
        "spend": Column("Total"),
        "unit": Column("Unit", "text"),
        "channel": Column("Column in the file", "code"),
    }
    dates = subject.inputs.full.predictions["date"]
    reading = f"{subject.periods(len(dates))} from {numbers.day(dates.min())} to {numbers.day(dates.max())}."
    return Sheet(
        "channels", "What went in", reading, table_of(frame, "Spend or volume by channel", columns), True
    )
