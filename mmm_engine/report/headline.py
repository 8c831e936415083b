"""The first screen in words: one verdict, three numbers, what changed, what failed.

Here: sentences that a client lead reads before anything else.
Not here: the sections below it (sections/), thresholds (scores/gates.py judged already).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from mmm_engine.client.windows import FULL
from mmm_engine.report import numbers, wording
from mmm_engine.report.inputs import WindowReport
from mmm_engine.report.page import Headline, Note, Summary, Tone
from mmm_engine.report.sections.budget import advice_sentence, advice_table
from mmm_engine.report.sections.diff import cause_words
from mmm_engine.report.subject import Subject, pick
from mmm_engine.scores.advice import advice_on, subject_of
from mmm_engine.scores.verdict import CheckResult, Judgement, by_check, judge

#: A ROAS that moved by more than this share since the last refresh is named on the first screen.
NOTABLE_MOVE = 0.1


def build_summary(subject: Subject) -> Summary:
    """The first screen of one client's report."""
    verdicts = subject.inputs.verdicts
    results = by_check(verdicts)
    failed = [result for result in results if result.outcome == "failed"]
    changes, since = changes_since_last(subject)
    return Summary(
        verdict=judge(verdicts),
        because=_because(subject, results),
        headlines=(_holdout_error(subject), _media_share(subject), _best_return(subject)),
        changes=changes,
        changes_since=since,
        failed=tuple(_failed_note(subject, result) for result in failed),
        checks_failed=len(failed),
        warnings=_warnings(subject),
        checks_total=len(results),
        not_judged=tuple(
            _not_judged_words(subject, result) for result in results if result.outcome == "not judged"
        ),
        advice=advice_sentence(subject),
        channels=advice_table(subject),
    )


def verdict_tone(verdict: Judgement) -> Tone:
    """The tone that goes with an overall verdict."""
    tones: dict[Judgement, Tone] = {"usable": "good", "usable with care": "care", "do not use": "bad"}
    return tones[verdict]


def skill_words(skill: float, repeated: str = "last season's values") -> str:
    """A CRPS skill against the naive forecast in words.

    Args:
        skill: The skill; NaN where it is not known.
        repeated: What the naive forecast repeats (`Subject.repeated`).

    >>> skill_words(0.28), skill_words(-0.07, "the last value")
    ("28% closer than last season's values", '7.0% further off than the last value, which wins')
    >>> skill_words(-6.2)
    "7.2 times as far off as last season's values, which win"
    """
    if math.isnan(skill):
        return f"not compared with {repeated}"
    if skill < -1:
        return f"{numbers.compact(1.0 - skill)} times as far off as {repeated}, which {_win(repeated)}"
    if skill < 0:
        return f"{numbers.percent(-skill)} further off than {repeated}, which {_win(repeated)}"
    return f"{numbers.percent(skill)} closer than {repeated}"


def _win(repeated: str) -> str:
    return "win" if repeated.endswith("values") else "wins"


def holdout_error(subject: Subject, window: WindowReport) -> tuple[str, float]:
    """The error to quote for a held-out window: MAPE, or WAPE where a zero makes MAPE undefined."""
    mape = subject.score(window, "test", "mape")
    return ("MAPE", mape) if math.isfinite(mape) else ("WAPE", subject.score(window, "test", "wape"))


# --- why ----------------------------------------------------------------------------------------


def _because(subject: Subject, results: Sequence[CheckResult]) -> str:
    failed = [result for result in results if result.outcome == "failed"]
    unknown = [result for result in results if result.outcome == "not judged"]
    if not results:
        first = "No check was run on this model"
    elif failed:
        first = _failed_words(subject, failed, len(results))
    elif unknown:
        passed = wording.count(len(results) - len(unknown), "check")
        first = f"{passed} passed, {len(unknown)} had nothing to judge yet"
    else:
        first = f"All {len(results)} checks passed"
    return " ".join(wording.sentence(part) for part in (first, _holdout_sentence(subject)) if part)


def _holdout_sentence(subject: Subject) -> str:
    window = subject.judged
    if window is None:
        return f"No {subject.inputs.period}s were held out, so nothing says how well this model forecasts"
    name, error = holdout_error(subject, window)
    skill = subject.score(window, "test", "skill")
    hidden = f"with the last {subject.periods(window.horizon)} hidden, the model forecast them with an average error of"
    return f"{hidden} {numbers.part(error)} ({name}), {skill_words(skill, subject.repeated)}"


def _warnings(subject: Subject) -> tuple[str, ...]:
    lost = [w for w in subject.inputs.holdouts if subject.score(w, "test", "skill") < 0]
    said = []
    if lost:
        hidden = wording.listing([f"the last {subject.periods(w.horizon)}" for w in lost])
        said.append(f"Simply repeating {subject.repeated} forecasts {hidden} better than this model.")
    if subject.unreadable:
        said.append(f"Do not read {subject.unreadable_words}: {subject.unreadable_why}.")
    drift = subject.inputs.drift
    if drift is not None and drift["alarm"].any():
        reasons = [wording.safe_text(str(reason), 200) for reason in drift.loc[drift["alarm"], "reason"]]
        said.append(wording.sentence(f"drift alarm: {wording.listing(reasons)}"))
    return tuple(said)


def check_name(subject: Subject, result: CheckResult) -> str:
    """What a check is about, with the windows that decide its outcome."""
    hidden = [window for window in result.windows if window != FULL]
    where = f" (with the last {subject.held_out(hidden)} hidden)" if hidden else ""
    return wording.safe_text(subject_of(result.check), 60) + where


def _failed_note(subject: Subject, result: CheckResult) -> Note:
    """One check that failed: its reason, what it means, what to do."""
    tone: Tone = "bad" if result.severity == "error" else "care"
    advice = advice_on(result.check)
    said = [wording.sentence(wording.safe_text(result.reason)), advice.meaning if advice else ""]
    return Note(
        tone, check_name(subject, result), " ".join(filter(None, said)), advice.remedy if advice else ""
    )


def _failed_words(subject: Subject, failed: Sequence[CheckResult], total: int) -> str:
    """How many checks failed, and which: an error forbids use, a warning asks for a look."""
    errors = [check_name(subject, result) for result in failed if result.severity == "error"]
    warnings = [check_name(subject, result) for result in failed if result.severity != "error"]
    need = "needs a look" if len(warnings) == 1 else "need a look"
    of_all = f"of {wording.count(total, 'check')}"
    if not errors:
        return f"{len(warnings)} {of_all} {need}: {wording.listing(warnings, 3)}"
    said = f"{len(errors)} {of_all} failed: {wording.listing(errors, 3)}"
    return f"{said}; {len(warnings)} more {need}: {wording.listing(warnings, 3)}" if warnings else said


def _not_judged_words(subject: Subject, result: CheckResult) -> str:
    """A check that had nothing to judge, and why."""
    return f"{check_name(subject, result)}: {wording.safe_text(result.reason)}"


# --- three numbers ------------------------------------------------------------------------------


def _holdout_error(subject: Subject) -> Headline:
    window = subject.judged
    if window is None:
        return Headline(
            "Forecast error", numbers.NOT_DEFINED, "", "No held-out rows in this refresh.", "care"
        )
    name, error = holdout_error(subject, window)
    skill = subject.score(window, "test", "skill")
    coverage = subject.score(window, "test", "coverage_90")
    inside = (
        wording.share_of(round(coverage * window.horizon), window.horizon) if math.isfinite(coverage) else ""
    )
    detail = f"Average error ({name}) of {subject.inputs.period}s that the model had not seen; "
    detail += f"{skill_words(skill, subject.repeated)}."
    if inside:
        detail += f" {wording.sentence(f'{inside} {subject.inputs.period}s fell inside the 90% interval')}"
    label = f"Forecast error, last {subject.periods(window.horizon)}"
    return Headline(label, numbers.part(error), "", detail, "bad" if skill < 0 else "plain")


def _media_share(subject: Subject) -> Headline:
    label = f"Media's share of {subject.target}"
    channels = subject.totals[subject.totals["kind"] == "channel"]
    media, whole = float(channels["mean"].sum()), float(subject.totals["mean"].sum())
    if not whole or channels.empty:
        return Headline(label, numbers.NOT_DEFINED, "", "No decomposition in this refresh.", "care")
    largest = channels.iloc[0]
    part = numbers.part(float(largest["mean"]) / whole)
    detail = (
        f"{subject.amount(media)} of {subject.amount(whole)}; "
        f"the largest part is {subject.label(str(largest['component']))} with {part}."
    )
    return Headline(label, numbers.part(media / whole), "", detail)


def _best_return(subject: Subject) -> Headline:
    paid = subject.paid[~subject.paid["channel"].isin(subject.unreadable)]
    spend, gained = float(subject.paid["spend"].sum()), float(subject.paid["contribution"].sum())
    is_roas = subject.return_metric == "roas"
    label = "Return on paid media (ROAS)" if is_roas else "Cost per conversion of paid media"
    if paid.empty or spend <= 0 or (gained <= 0 and not is_roas):
        return Headline(
            label, numbers.NOT_DEFINED, "", "No paid channel has a return that can be read.", "care"
        )
    whole = gained / spend if is_roas else spend / gained
    value = numbers.price(whole, subject.inputs.currency_unit)
    unit = subject.brought_words if is_roas else ""
    return Headline(label, value, unit, _best_and_worst(subject, list(paid["channel"])))


def _best_and_worst(subject: Subject, readable: list[str]) -> str:
    known = subject.returns(subject.return_metric)
    ranked = known.reindex([name for name in readable if name in known.index]).sort_values("mean")
    if ranked.empty:
        return "No channel's return is known."
    if subject.return_metric == "roas":
        ranked = ranked[::-1]
    best, worst = _return_words(subject, ranked.iloc[0]), _return_words(subject, ranked.iloc[-1])
    return f"Best: {best}." if len(ranked) == 1 else f"Best: {best}. Weakest: {worst}."


def _return_words(subject: Subject, row: pd.Series) -> str:
    unit = subject.inputs.currency_unit
    low, middle, high = (numbers.price(float(row[name]), unit) for name in ("q05", "mean", "q95"))
    return f"{subject.label(str(row.name))} {middle} ({numbers.interval(low, high)})"


# --- what changed -------------------------------------------------------------------------------


def changes_since_last(subject: Subject, *, with_versions: bool = True) -> tuple[tuple[str, ...], str]:
    """What moved since the last refresh, and when that was; nothing where no earlier one is known.

    Args:
        subject: The client.
        with_versions: Whether changed settings and engines are told with their version numbers.
    """
    before = subject.inputs.previous
    if before is None or before.empty:
        return (), ""
    since = numbers.day(pd.to_datetime(before["recorded_at"]).max())
    said = [_new_periods(subject, before), _error_change(subject, before), *_return_changes(subject, before)]
    said += _version_changes(subject, before, with_versions)
    told = tuple(wording.sentence(text) for text in said if text)
    return told or ("Nothing that this page reports has moved.",), since


def _new_periods(subject: Subject, before: pd.DataFrame) -> str:
    last = pd.to_datetime(before.loc[before["window"] == FULL.name, "cutoff"]).max()
    dates = pd.to_datetime(subject.inputs.full.predictions["date"])
    new = 0 if pd.isna(last) else int((dates > last).sum())
    if new:
        return (
            f"{wording.count(new, 'new ' + subject.inputs.period)} of data, up to {numbers.day(dates.max())}"
        )
    return "the data changed, without new rows" if _data_changed(subject, before) else ""


def _data_changed(subject: Subject, before: pd.DataFrame) -> bool:
    known = "data_version" in before.columns
    return known and str(before["data_version"].iloc[-1]) != subject.inputs.run.data_version


def _error_change(subject: Subject, before: pd.DataFrame) -> str:
    window = subject.judged
    if window is None:
        return ""
    name, now = holdout_error(subject, window)
    then = pick(before, window=window.window.name, split="test", channel="all", metric=name.lower())
    if not (math.isfinite(now) and math.isfinite(then)):
        return ""
    move = "unchanged at" if round(now, 3) == round(then, 3) else "down to" if now < then else "up to"
    was = "" if move == "unchanged at" else f" from {numbers.percent(then)}"
    return f"forecast error {move} {numbers.percent(now)}{was}"


def _return_changes(subject: Subject, before: pd.DataFrame) -> list[str]:
    metric = subject.return_metric
    now = subject.returns(metric)["mean"]
    old = before[(before["metric"] == metric) & (before["window"] == FULL.name)]
    then = old.drop_duplicates("channel").set_index("channel")["value"]
    shared = [c for c in subject.inputs.paid_channels if c in now.index and c in then.index and then[c]]
    moves = {c: float(now[c] / then[c] - 1) for c in shared if c not in subject.unreadable}
    notable = sorted((c for c in moves if abs(moves[c]) > NOTABLE_MOVE), key=lambda c: -abs(moves[c]))
    said = []
    for c in notable[:3]:
        went = f"{subject.return_words} of {subject.label(c)} went from {subject.return_of(then[c])} to "
        went += f"{subject.return_of(now[c])} ({numbers.percent(moves[c], signed=True)})"
        cause = cause_words(subject, c)
        said.append(f"{went}, {cause}" if cause else went)
    if len(notable) > 3:
        said.append(f"{len(notable) - 3} more channels moved by over {numbers.percent(NOTABLE_MOVE)}")
    elif shared and not notable:
        said.append(f"no channel's {subject.return_words} moved by more than {numbers.percent(NOTABLE_MOVE)}")
    return said


def _version_changes(subject: Subject, before: pd.DataFrame, with_versions: bool) -> list[str]:
    run = subject.inputs.run
    now = {"settings": run.config_version, "engine": run.engine_version}
    columns = {"settings": "config_version", "engine": "engine_version"}
    return [
        f"the {name} changed since then (from {before[columns[name]].iloc[-1]} to {value})"
        if with_versions
        else f"the {_CLIENTS_WORDS[name]} changed since then"
        for name, value in now.items()
        if columns[name] in before.columns and str(before[columns[name]].iloc[-1]) != value
    ]


_CLIENTS_WORDS = {"settings": "settings of the model", "engine": "program that fits the model"}
