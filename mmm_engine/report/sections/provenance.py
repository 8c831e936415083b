"""What went in and how to get it out again: data findings, checks, versions.

Here: the parts of a report that let someone else re-derive it.
Not here: judgements on the model (trust.py).
"""

from __future__ import annotations

import pandas as pd

from mmm_engine.report import wording
from mmm_engine.report.page import Column, Item, Note, Notes, Section, Sheet, Table, table_of
from mmm_engine.report.subject import Subject


def checks_section(subject: Subject) -> Section | None:
    """Every check with its outcome and reason."""
    if not subject.inputs.verdicts:
        return None
    ordered = sorted(subject.inputs.verdicts, key=lambda v: (v.passed, v.severity != "error", v.check))
    rows = [
        {
            "check": wording.safe_text(verdict.check, 80).replace("_", " "),
            "window": wording.window_words(verdict.window) if verdict.window else "",
            "outcome": "passed" if verdict.passed else f"failed ({verdict.severity})",
            "reason": verdict.reason,
        }
        for verdict in ordered
    ]
    failed = sum(not verdict.passed for verdict in ordered)
    reading = f"{wording.share_of(len(ordered) - failed, len(ordered))} checks passed"
    columns = {"check": Column("Check", "name"), "window": Column("Window", "text")}
    columns |= {"outcome": Column("Outcome", "text"), "reason": Column("Reason", "text")}
    sheet = Sheet(
        "all-checks",
        "All checks",
        wording.sentence(reading),
        table_of(pd.DataFrame(rows), "Outcome of every check", columns),
    )
    return Section(
        "checks", "Checks", "Checks", "What was tested before this page was published.", (sheet,), True
    )


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
    nothing = (
        Note("good", "Nothing to report", "The rows keep the data contract and nothing in them stands out."),
    )
    notes = Notes("data-findings", title if items else "No findings", items or nothing)
    lead = "What the checks on the input file noticed; none of it stopped the fit."
    return Section(
        "findings", "Data findings", "Data", lead, (notes, _channels_sheet(subject)), is_diagnostic=True
    )


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
        ("Time taken", f"{wording.decimal(run.seconds, 0)} s"),
    ]
    facts += [(f"Library {name}", version) for name, version in sorted(run.versions.items())]
    table = Table("Facts of the run", (Column("Fact", "text"), Column("Value", "code")), tuple(facts))
    sheet = Sheet(
        "re-derive",
        "Facts of the run",
        "The same command on the same data and settings version gives the same numbers.",
        table,
    )
    lead = "Everything needed to compute every number on this page again."
    return Section("provenance", "How to re-derive it", "Re-derive", lead, (sheet,), is_diagnostic=True)


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
    reading = f"{subject.periods(len(dates))} from {wording.day(dates.min())} to {wording.day(dates.max())}."
    return Sheet(
        "channels", "What went in", reading, table_of(frame, "Spend or volume by channel", columns), True
    )
