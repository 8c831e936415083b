"""One rule says which channels can be read, and why not."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from mmm_engine.scores.identification import (
    REMEDY,
    WHY,
    ChannelEvidence,
    Reason,
    identification,
    identified_scores,
    reading_of,
    readings,
)

KNOWN = ChannelEvidence(
    log_sd=0.2,
    robust_log_sd=0.25,
    log_contraction=0.95,
    out_of_line=0.3,
    residual_autocorrelation=0.05,
    follows_sales=0.5,
    upper_share=0.08,
    partner_correlation=-0.2,
    together_log_sd=0.1,
)


@pytest.mark.parametrize(
    ("changes", "identified", "reason"),
    [
        ({}, 1.0, "precise"),
        ({"log_sd": 0.5}, 1.0, "precise"),
        ({"log_sd": 0.51}, 0.5, "imprecise"),
        ({"robust_log_sd": 0.51}, 0.5, "imprecise"),
        ({"log_sd": 0.7}, 0.5, "imprecise"),
        ({"log_sd": 0.71}, 0.0, "wide"),
        ({"robust_log_sd": 0.71}, 0.0, "wide"),
        ({"log_sd": 0.71, "upper_share": 0.009}, 0.0, "small"),
        ({"log_sd": 0.71, "partner_correlation": -0.41}, 0.0, "together"),
        ({"log_sd": 0.6, "partner_correlation": -0.41}, 0.5, "together"),
        ({"log_sd": 0.71, "partner_correlation": -0.9, "together_log_sd": 0.51}, 0.0, "wide"),
        ({"log_contraction": 0.49}, 0.5, "prior"),
        ({"out_of_line": 2.01}, 0.5, "out_of_line"),
        ({"out_of_line": -5.0}, 1.0, "precise"),
        ({"out_of_line": math.nan}, 1.0, "precise"),
        ({"residual_autocorrelation": 0.16}, 0.5, "rows_err_together"),
        ({"days_per_row": 1.0}, 0.5, "daily_rows"),
        ({"days_per_row": 7.0}, 1.0, "precise"),
        ({"follows_sales": 3.6}, 0.5, "follows_sales"),
        ({"log_sd": math.nan, "robust_log_sd": math.nan}, math.nan, "not_tested"),
        ({"simulations": 1, "coverage": 0.0, "recovery": 0.0}, 1.0, "precise"),
        ({"simulations": 20, "coverage": 0.65, "recovery": 0.9}, 1.0, "precise"),
        ({"simulations": 20, "coverage": 0.60, "recovery": 0.9}, 0.0, "refuted"),
        ({"simulations": 20, "coverage": 0.95, "recovery": 0.29}, 0.0, "not_found_again"),
        ({"simulations": 9, "coverage": 0.4, "recovery": 0.1}, 1.0, "precise"),
        ({"log_sd": math.nan, "simulations": 20, "coverage": 0.5, "recovery": 0.9}, 0.0, "refuted"),
    ],
)
def test_each_clause_decides_on_its_border(
    changes: dict[str, float], identified: float, reason: Reason
) -> None:
    """A channel about which all is well, and one number moved."""
    told = identification(replace(KNOWN, **changes), 0.3)  # type: ignore[arg-type]
    assert told[1] == reason
    assert told[0] == pytest.approx(identified, nan_ok=True)


def score_frame(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Training scores by channel and metric."""
    frame = pd.DataFrame(rows, columns=["channel", "metric", "value"])
    return frame.assign(split="train", unit="score")


def test_stored_scores_give_readings_with_the_partner_by_name() -> None:
    """tv and radio trade places; the autocorrelation of all rows counts for each channel."""
    evidence = [(name, metric, 0.9) for name in ("tv", "radio") for metric in ("log_sd", "robust_log_sd")]
    pair = [("partner_correlation", -0.9), ("together_log_sd", 0.1)]
    evidence += [(name, metric, value) for name in ("tv", "radio") for metric, value in pair]
    evidence += [("tv", "partner", 1.0), ("radio", "partner", 0.0), ("search", "log_sd", 0.1)]
    told = readings(score_frame(*evidence), None, 0.3, ["tv", "radio", "search"])
    assert (told["tv"].words, told["tv"].partner) == ("do not read", "radio")
    assert told["tv"].why == "only its sum with radio can be read: the rows cannot tell the two apart"
    assert told["search"].words == "can be read"
    waves = score_frame(*evidence, ("all", "residual_autocorrelation", 0.4))
    assert readings(waves, None, 0.3, ["search"])["search"].reason == "rows_err_together"


def test_other_splits_and_single_simulations_say_nothing() -> None:
    """Held-out rows have no evidence, and one simulation that missed does not count."""
    frame = score_frame(("tv", "log_sd", 0.1)).assign(split="test")
    assert readings(frame, None, 0.3, ["tv"])["tv"].words == "not tested"
    missed = [
        ("tv", "contribution_recovery", 0.0),
        ("tv", "contribution_coverage_90", 0.0),
        ("all", "simulations", 1.0),
    ]
    told = readings(score_frame(("tv", "log_sd", 0.1)), score_frame(*missed), 0.3, ["tv"])["tv"]
    assert told.words == "can be read"
    many = [*missed[:-1], ("all", "simulations", 20.0)]
    assert (
        readings(score_frame(("tv", "log_sd", 0.1)), score_frame(*many), 0.3, ["tv"])["tv"].reason
        == "refuted"
    )


def test_readings_are_recorded_as_scores() -> None:
    """One row a channel: 1, 0.5 or 0."""
    told = readings(score_frame(("tv", "log_sd", 0.1), ("radio", "log_sd", 2.0)), None, 0.3, ["tv", "radio"])
    assert identified_scores(told, "train")[["channel", "metric", "value"]].to_numpy().tolist() == [
        ["tv", "identified", 1.0],
        ["radio", "identified", 0.0],
    ]
    assert reading_of(0.0) == "do not read"


def test_every_reason_has_words_and_a_remedy() -> None:
    """What a reader is told, and what can be done; only a channel that can be read needs nothing."""
    assert set(WHY) == set(REMEDY)
    assert [reason for reason, remedy in REMEDY.items() if not remedy] == ["precise"]
