"""What a failed check means, and what to do: one table for the command line, Dagster, the report and docs/scores.md.

Here: words about checks.
Not here: the checks (gates.py, plausibility.py), their limits (client/thresholds.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """A check in words.

    Attributes:
        subject: What it is about, for a list of failed checks.
        meaning: What a failure means, one sentence.
        remedy: What to do about it, one sentence.
    """

    subject: str
    meaning: str
    remedy: str


ADVICE: dict[str, Advice] = {
    "canary_found": Advice(
        "canary",
        "A simulated client with a known answer was fitted wrong: something is the matter with this machine or its "
        "libraries, not with a client.",
        "Look at what changed on the machine, run 'make upgrade-check', then fit it again (job canary_job); nothing is "
        "published until it is found.",
    ),
    "data_contract": Advice(
        "data contract",
        "The rows or the client file cannot be used.",
        "Correct what is listed; 'mmm check' says in seconds whether it helped.",
    ),
    "training_cutoff": Advice(
        "training cutoff",
        "The fit has seen rows that it is judged on, so that its scores are too good.",
        "Refresh the client; if it fails again this is a fault of the platform, please report it.",
    ),
    "fitted_rows": Advice(
        "rows that were fitted",
        "The posterior belongs to other rows or settings than the results beside it.",
        "Refresh the client.",
    ),
    "window_fitted": Advice(
        "fit of all rows",
        "There is no model of the present rows and settings.",
        "Refresh the client; the reason says what stopped the fit.",
    ),
    "sampler_converged": Advice(
        "convergence of the sampler",
        "The chains did not agree, so that another run may give other numbers.",
        "Leave out channels that hardly vary, give doubtful ones 'returns', or raise 'max_draws' under 'sampler'.",
    ),
    "holdout_skill": Advice(
        "forecast of unseen rows",
        "Repeating earlier sales forecast hidden rows better than this model, which does not know what moves them.",
        "Add what is missing: 'yearly_seasonality', for daily rows 'weekly_seasonality', 'trend', events, a control "
        "such as price.",
    ),
    "holdout_calibration": Advice(
        "bias and intervals of forecasts",
        "Forecasts of hidden rows are too high or too low throughout, or surer than they should be.",
        "Look for a change in the last rows that no control or event explains; add a 'trend' where the level moves.",
    ),
    "fit_explains": Advice(
        "fit of the training rows",
        "The model cannot follow even the rows that it was fitted on.",
        "Check target and settings: a target below 0, a prior that rules out its level, a missing season or trend; "
        "add rows up to weeks or months where each is mostly chance, as a few sales are.",
    ),
    "baseline_positive": Advice(
        "baseline above 0",
        "Media are credited with more than all sales: without them less than nothing would be sold.",
        "Give channels 'returns' that are believable, and check the signs of controls.",
    ),
    "media_plausible": Advice(
        "share and returns of media",
        "Media, or one channel, bring more than is believable: they take credit for something that moves with them.",
        "Add the season, trend, event or control that moves with media, or say under 'returns' what is known; "
        "if such a return is real, raise the limit under 'thresholds'.",
    ),
    "media_known": Advice(
        "how well the total of media is known",
        "The rows leave open by more than a factor of 2 what all media bring: the total is a guess.",
        "Read no returns off it: a lift test, longer history, spend that varies more, or 'returns' that are known.",
    ),
    "media_supported": Advice(
        "evidence for the total of media",
        "What media are credited with rests on trend, season or prior, not on their movements from row to row.",
        "Add a 'trend' or season where one is missing; else more rows, a lift test, or 'returns' that are known.",
    ),
    "one_explanation": Advice(
        "one explanation of the rows",
        "The rows have several explanations that fit about equally well: chains from other starts settle elsewhere.",
        "A lift test of the channel that differs most decides between them, or 'returns' that are known of it.",
    ),
    "controls_plausible": Advice(
        "share of controls",
        "One control moves most of the target: what it takes, media and baseline cannot have.",
        "Leave it out if it follows sales (visits, a competitor's sales). If it does move them: allow it 'effect: any' "
        "and raise 'control_share_max' only once you know that it moves so much.",
    ),
    "curves_plausible": Advice(
        "channels that follow their media",
        "A channel brings the same whatever is spent: its flat curve stands for the baseline.",
        "Give its half-saturation a prior in the range of its media, or say under 'returns' what is known of it.",
    ),
    "residuals": Advice(
        "errors without memory",
        "Errors last for several rows: the level moves as the model cannot follow, and media may take the credit.",
        "Add a 'trend' or 'yearly_seasonality', or the control that explains the moves.",
    ),
    "prior_pushes": Advice(
        "parameters inside their priors",
        "The data push against what the priors allow, so that results depend on where the priors end.",
        "Widen the priors that are named, or correct the units that they were written in.",
    ),
    "recovery": Advice(
        "recovery of known parameters",
        "With rows like these the model does not find an answer that is known.",
        "Use fewer channels, fewer options or more rows; 'mmm audit' says which channels are lost.",
    ),
    "stability": Advice(
        "stability of channel shares",
        "Shares of channels change when a few weeks are hidden: budgets moved on them would move back.",
        "Read channels together that change places, or say under 'returns' what is known of them.",
    ),
    "identification": Advice(
        "channels that can be read",
        "For some channels rows like these do not tell what they bring.",
        "Do not read the channels that are named, or run a lift test for them.",
    ),
    "sensitivity": Advice(
        "sensitivity to chance",
        "Results move with the seed or with small errors of spend, or a channel that cannot work seems to.",
        "Treat differences between channels as unknown; more rows, fewer channels or lift tests help.",
    ),
    "drift": Advice(
        "results in their usual range",
        "Errors or shares have left the range of earlier refreshes.",
        "Look at what changed in rows and settings; the report's section on moves explains it.",
    ),
    "history_rows": Advice(
        "recorded history",
        "Scores of this refresh are missing from the history, or stand there twice.",
        "Refresh the client again; see the page on operations for a damaged history.",
    ),
    "advice_given": Advice(
        "advice on the budget",
        "The model gives no advice: it is not to be used, or the client file asks for a plan that its limits exclude.",
        "Mend the failed checks of the model, or widen 'decision' in the client file as the reason says.",
    ),
    "advice_proven": Advice(
        "proof of the plan",
        "The search ended before it was known that no other plan is noticeably better.",
        "Follow the plan as a good one rather than the best; 'mmm plan' with narrower limits usually proves it.",
    ),
    "advice_within_seen": Advice(
        "amounts that were seen",
        "The plan gives a channel more in one period than was ever spent, so that its return there is a guess.",
        "Keep such amounts small, or set 'bounds' under 'decision' in the client file.",
    ),
    "report_self_contained": Advice(
        "self-contained report",
        "The page would load something from the network, or is cut off.",
        "Render it again with 'mmm report'; if it fails again please report it.",
    ),
    "newest_results": Advice(
        "newest results on the page",
        "The last refresh was refused or broke off: the page in place is an older one.",
        "Mend what the reason names, then refresh the client.",
    ),
    "rows_in_time": Advice(
        "rows in time",
        "New rows have not come for longer than usual: what the page says grows old.",
        "Ask whoever hands them in; a client that is gone is taken out of the data folder.",
    ),
}


def advice_on(check: str) -> Advice | None:
    """The words about a check; None for one that is not in the table."""
    return ADVICE.get(check)


def subject_of(check: str) -> str:
    """What a check is about, its name in words where the table does not know it.

    >>> subject_of("holdout_skill"), subject_of("own_check")
    ('forecast of unseen rows', 'own check')
    """
    known = ADVICE.get(check)
    return known.subject if known else check.replace("_", " ")
