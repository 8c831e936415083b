"""Checks and findings about rows as a client reads them: no name of a statistic, no parameter.

Here: one sentence for each check that failed, and for each kind of finding.
Not here: what an analyst reads of them (scores/advice.py, rows/findings.py), what to do, which a client need not.
"""

from __future__ import annotations

from collections.abc import Mapping

CHECKS: Mapping[str, str] = {
    "data_contract": "The rows or the settings cannot be used as they are.",
    "training_cutoff": "The forecast test saw weeks that it should not have seen, so its error looks too small.",
    "fitted_rows": "The model belongs to other rows than the numbers beside it.",
    "window_fitted": "There is no model of the latest rows.",
    "sampler_converged": "The computation did not settle fully: done again, numbers may come out a little different.",
    "holdout_skill": "Simply repeating earlier values forecast recent rows better than this model.",
    "holdout_calibration": "Recent forecasts were too high or too low throughout, or surer than they should have been.",
    "fit_explains": "The model cannot follow even the rows that it was made from.",
    "baseline_positive": "Media are credited with more than everything that was sold.",
    "media_plausible": "Media, or one channel, seem to bring more than is believable.",
    "media_supported": "What media are credited with rests more on assumptions than on what happened when spend moved.",
    "media_known": "How much media bring in total is not known well from rows like these.",
    "rows_in_time": "New rows are late, so that the page shows an older state.",
    "newest_results": "There are newer results than those on this page.",
    "one_explanation": "The rows have several explanations that fit about equally well.",
    "controls_plausible": "One influence outside of media moves most of the target, which may hide what media do.",
    "curves_plausible": "For a channel the model finds the same effect whatever is spent, which is hard to believe.",
    "residuals": "Something that lasts for several rows is missing from the model; media may take the credit for it.",
    "prior_pushes": "Some results depend on assumptions that the rows speak against.",
    "recovery": "Tried on simulated sales like these, the model did not find the answer that was put in.",
    "stability": "What channels are credited with changes when a few recent rows are left out.",
    "identification": "For some channels rows like these do not tell what they bring.",
    "sensitivity": "Results move with chance or with small errors of spend.",
    "drift": "Errors or shares have left the range of earlier refreshes.",
    "advice_given": "There is no advice on the budget.",
    "advice_proven": "A better plan than the one suggested may exist.",
    "advice_within_seen": "The plan gives a channel more than was ever spent on it, so its effect there is a guess.",
}
"""What a failure of each check means for somebody who acts on the page."""

FINDINGS: Mapping[str, str] = {
    "mixed-currencies": "{message}.",
    "unfinished-row": "{message}.",
    "running-total": "{name} {message}.",
    "target-outlier": "{message}.",
    "recurring-outlier": "{message}.",
    "level-step": "In {name} {message}.",
    "short-season": "The rows have not seen two years, so that a season cannot be told from what happened once.",
    "zero-target": "{message}.",
    "negative-target": "{message}.",
    "correlated-channels": "{name} {message}: the rows cannot tell the two apart.",
    "spend-follows-sales": "More is spent on {name} after sales were high, which makes it look better than it is.",
    "variance-inflation": "{name} moves with other columns, so that its own effect is hard to see.",
    "cost-missing": "What {name} cost is missing in rows in which it ran.",
    "media-missing": "{name} cost money in rows in which it did not run.",
    "lone-peak": "A few rows of {name} are far larger than all others; a slip in them would decide its result.",
    "mirrors-target": "{name} says the same as what is to be explained, so that nothing else can be seen.",
    "spend-looks-like-count": "{name} may hold impressions or clicks where money is expected.",
    "spend-in-micros": "{name} may be counted in millionths of the currency.",
    "rows-to-come": "Some rows lie in the future and count as if they had come: {message}.",
    "few-rows": "There are few rows for what the model has to learn, so that effects lean on assumptions.",
    "level-jump": "In {name} {message}; has its unit or source changed?",
    "frozen-tail": "{name} may not be filled any more: {message}.",
    "constant-in-window": "{name} hardly varies, so that its effect cannot be seen.",
    "still-target": "{name} hardly moves: nearly all of it stays whatever is advertised.",
    "rare-target": "{name} {message}.",
    "constant-channel": "{name} got nearly the same in every row, so that its effect cannot be seen.",
    "booked-by-invoice": "{name} may be booked when it was paid, not when it ran.",
    "single-stretch": "{name} {message}.",
    "control-sign": "{name} moves against what was assumed of it.",
    "event-unseen": "An event has not happened within the rows, so that its effect is assumed.",
    "event-inseparable": "An event cannot be told from others, so that its effect is assumed.",
    "lift-test-outside": "An experiment on {name} lies outside of the rows and does not count yet.",
    "lift-test-range": "An experiment on {name} spent more than the rows ever show.",
    "lift-test-sign": "An experiment on {name} says that more spend sold less.",
}
"""What each kind of finding says; `{name}` is its column, `{message}` the analyst's words for it."""


def check_words(check: str, meaning: str) -> str:
    """What a failed check means to a client; the analyst's meaning where the table does not know it.

    >>> check_words("drift", "")
    'Errors or shares have left the range of earlier refreshes.'
    """
    return CHECKS.get(check, meaning or check.replace("_", " ").capitalize() + " needs a look.")


def finding_words(code: str, name: str, message: str) -> str:
    """What a finding says to a client; its own message where the table does not know it.

    >>> finding_words("frozen-tail", "tv", "the value 3 does not move any more since 2024-01-01 (9 rows)")[:36]
    'Tv may not be filled any more: the v'
    """
    text = FINDINGS.get(code, "{name}: {message}." if name else "{message}.").format(
        name=name, message=message
    )
    return text[:1].upper() + text[1:]
