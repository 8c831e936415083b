"""The page for the client's own people: what to do, what changed and why, how sure, what comes, how good the data are.

Here: its first screen and its sections, in words without statistics; everything else is the analyst's report.
Not here: what a check or a finding means to a client (plain_words.py), the parts that both pages share (sections/).
"""

from __future__ import annotations

import math
from dataclasses import replace

from mmm_engine.report import numbers, plain_words, wording
from mmm_engine.report.headline import build_summary, changes_since_last, holdout_error, skill_words
from mmm_engine.report.page import Item, Note, Notes, Points, Section, Sheet, Sliders, Summary
from mmm_engine.report.sections.budget import budget_section
from mmm_engine.report.sections.far_off import rows_far_off
from mmm_engine.report.sections.forecast import fan_chart
from mmm_engine.report.sections.recent import recent_section
from mmm_engine.report.sections.returns import returns_items
from mmm_engine.report.subject import Subject
from mmm_engine.scores.advice import advice_on
from mmm_engine.scores.identification import IDENTIFIED, WEAK
from mmm_engine.scores.verdict import by_check


def client_summary(subject: Subject) -> Summary:
    """The first screen: verdict, what it means, what to do; nothing that only an analyst reads."""
    summary = build_summary(subject)
    means = {
        "usable": "The model passed its tests: its numbers can be acted on, within the ranges they come with.",
        "usable with care": "The numbers can be acted on with care.",
        "do not use": "Do not act on these numbers.",
    }
    said = (means[summary.verdict], _first_caution(subject), _forecast_words(subject))
    return replace(
        summary,
        because=" ".join(filter(None, said)),
        warnings=(),
        changes=(),
        failed=(),
        not_judged=(),
        headlines=tuple(
            replace(each, label=_plain(each.label), detail=_plain(each.detail)) for each in summary.headlines
        ),
    )


def client_sections(subject: Subject) -> tuple[Section, ...]:
    """What to try, what changed, how sure, what comes, how good the data are; what has nothing to say is left out."""
    built = (_plan(subject), _changes(subject), _sureness(subject), _forecast(subject), _quality(subject))
    return tuple(section for section in built if section is not None)


def _first_caution(subject: Subject) -> str:
    """The worst thing to be careful of, and whether there is more; "" where every check passed."""
    cautions = _failed_checks(subject)
    if not cautions:
        return ""
    worst = min(cautions, key=lambda note: note.tone != "bad").title
    return f"{worst} {_more_below(len(cautions) - 1)}".strip()


def _more_below(count: int) -> str:
    """That more stands below, "" where nothing does."""
    if count == 0:
        return ""
    return "One more thing to be careful of stands below." if count == 1 else f"{count} more stand below."


def _failed_checks(subject: Subject) -> list[Note]:
    """What each failed check means to a client."""
    notes = []
    for result in by_check(subject.inputs.verdicts):
        if result.outcome == "failed":
            advice = advice_on(result.check)
            words = plain_words.check_words(result.check, advice.meaning if advice else "")
            notes.append(Note("bad" if result.severity == "error" else "care", wording.safe_text(words)))
    return notes


def _plain(text: str) -> str:
    """The text without the names of scores in brackets."""
    for name in (" (MAPE)", " (WAPE)", " (ROAS)"):
        text = text.replace(name, "")
    return text


def _forecast_words(subject: Subject) -> str:
    """How well the model forecasts, "" where nothing was held out."""
    window = subject.judged
    if window is None:
        return ""
    error, skill = holdout_error(subject, window)[1], subject.score(window, "test", "skill")
    if not math.isfinite(error):
        return ""
    hidden = (
        f"With the last {subject.periods(window.horizon)} hidden, it forecast them with an average error of"
    )
    return wording.sentence(f"{hidden} {numbers.part(error)}, {skill_words(skill, subject.repeated)}")


def _plan(subject: Subject) -> Section | None:
    """Sliders and what came of earlier advice; the advice itself stands on the first screen."""
    section = budget_section(subject)
    if section is None:
        return None
    kept: list[Item] = [item for item in section.items if isinstance(item, Sliders)]
    kept += [item for item in section.items if isinstance(item, Sheet) and item.id == "advice-outcomes"]
    return replace(section, title="Try another budget", short="Budget", items=tuple(kept)) if kept else None


def _changes(subject: Subject) -> Section | None:
    recent = recent_section(subject)
    items: list[Item] = [] if recent is None else list(recent.items)
    changes, since = changes_since_last(subject, with_versions=False)
    if changes:
        items.append(Points("since", f"Since the last refresh, {since}", changes))
    if not items:
        return None
    lead = "Sales, spend and what media brought, and what the model sees behind the difference."
    return Section("changes", "What changed, and why", "Changes", lead, tuple(items))


def _sureness(subject: Subject) -> Section | None:
    points = _reading_points(subject)
    items: list[Item] = [Points("readings", "Which channels can be read", points)] if points else []
    items += [
        replace(item, is_folded=True) if isinstance(item, Sheet) else item
        for item in returns_items(subject, with_marginal=False)
    ]
    if not items:
        return None
    lead = "Each number comes with a range that is made to hold it in nine of ten cases."
    return Section("sure", "What each channel brings, and how sure that is", "How sure", lead, tuple(items))


def _reading_points(subject: Subject) -> tuple[str, ...]:
    """Channels by whether they can be read; each that must not be with the reason."""
    told = subject.readings.items()
    named = {
        level: [subject.label(name) for name, each in told if each.identified == level]
        for level in (IDENTIFIED, WEAK)
    }
    points = []
    if named[IDENTIFIED]:
        points.append(f"Known well enough: {wording.listing(named[IDENTIFIED], 20)}.")
    if named[WEAK]:
        points.append(f"Known roughly, to be read with care: {wording.listing(named[WEAK], 20)}.")
    reasons: dict[str, list[str]] = {}
    for name in subject.unreadable:
        reasons.setdefault(subject.readings[name].why, []).append(subject.label(name))
    points += [f"Not to be read: {wording.listing(names, 20)}; {why}." for why, names in reasons.items()]
    return tuple(points)


def _forecast(subject: Subject) -> Section | None:
    chart = fan_chart(subject)
    if chart is None:
        return None
    lead = f"The next {subject.inputs.period}s of {subject.target}, with 50% and 90% ranges."
    return Section("forecast", "Forecast", "Forecast", lead, (chart,))


def _quality(subject: Subject) -> Section:
    """What checks and rows ask to be careful of, in plain words."""
    notes = _failed_checks(subject)
    results = by_check(subject.inputs.verdicts)
    for finding in subject.inputs.findings:
        if finding.severity == "warning":
            name = subject.label(finding.column) if finding.column else ""
            words = plain_words.finding_words(finding.code, name, wording.safe_text(finding.message, 300))
            notes.append(Note("care", wording.safe_text(words, 400)))
    far = rows_far_off(subject)
    if far:
        notes.append(Note("plain", far))
    nothing = (
        Note("good", "The rows are complete, and nothing in them or in the tests of the model stands out."),
    )
    failed = sum(result.outcome == "failed" for result in results)
    judged = sum(result.outcome != "not judged" for result in results)
    lead = (
        f"{judged - failed} of {wording.count(judged, 'check')} of data and model passed."
        if judged
        else "No check was run."
    )
    title = "What to be careful of" if notes else "Nothing to be careful of"
    return Section(
        "quality",
        "Data and model quality",
        "Quality",
        lead,
        (Notes("quality-notes", title, tuple(notes) or nothing),),
    )
