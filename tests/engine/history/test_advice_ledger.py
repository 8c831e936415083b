"""The advice ledger: frozen when it is given, filled in when its periods have come, judged over vintages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pytest

from mmm_engine.history.advice_ledger import OUTCOME, calibration, outcomes_of, vintage_rows
from mmm_engine.history.store import History
from mmm_engine.history.tables import ADVICE_LEDGER

CUTOFF = pd.Timestamp("2026-01-05")
FIRST, LAST = pd.Timestamp("2026-01-12"), pd.Timestamp("2026-02-02")
ISSUED, LATER = datetime(2026, 1, 6, 9, tzinfo=UTC), datetime(2026, 2, 4, 9, tzinfo=UTC)


def rows(advised: float = 120.0, **changes: Any) -> pd.DataFrame:
    """Advice to raise tv from 100, and to leave views as they are."""
    channels = [
        {"channel": "tv", "advice": "raise", "today": 100.0, "advised": advised, "marginal": 1.4, "expected": 300.0,
         "paid": True},
        {"channel": "views", "advice": "hold", "today": 9e6, "advised": 9e6, "marginal": 0.0, "expected": 20.0,
         "paid": False},
    ]  # fmt: skip
    settings = {"expected": {"mean": 1000.0, "q05": 900.0, "q95": 1100.0}, "acts": True, "dates": (FIRST, LAST),
                "cutoff": CUTOFF, "issued_at": ISSUED, "run_id": "run-1", "data_version": "data1",
                "request_version": "asked1"}  # fmt: skip
    return vintage_rows("ms", channels, **(settings | changes))


def outcome(frozen: pd.DataFrame, happened: float, pit: float = 0.5) -> pd.DataFrame:
    """What came of it: 110 was spent on tv, which brings 25 less; the rest is what remains."""
    values = {
        "tv": {"spent": 110.0, "delivery": -25.0},
        "views": {"spent": 9e6, "delivery": 0.0},
        "all": {
            "spent": 110.0,
            "delivery": -25.0,
            "happened": happened,
            "rest": happened - 975.0,
            "pit": pit,
        },
    }
    told = pd.DataFrame([values[name] for name in frozen["channel"]]).reindex(columns=list(OUTCOME))
    return pd.concat([frozen[list(ADVICE_LEDGER.key)].reset_index(drop=True), told], axis=1)


@pytest.fixture
def history(tmp_path) -> History:
    """A history that does not exist yet."""
    return History(tmp_path / "metric_history.duckdb", patience=10)


def test_money_of_all_channels_is_that_of_the_paid_ones(history: History) -> None:
    """Views do not count as euros; the row for all ends a vintage, and has the target that was expected."""
    assert history.advice.freeze("ms", rows(), b"draws") == 3
    ledger = history.advice.read("ms").set_index("channel")
    assert ledger.index[-1] == "all"
    assert ledger.loc["all", ["today", "advised", "expected", "q05", "q95"]].tolist() == [
        100,
        120,
        1000,
        900,
        1100,
    ]
    assert ledger[list(OUTCOME)].isna().all(axis=None)


def test_the_same_advice_again_changes_nothing(history: History) -> None:
    """Neither rows nor draws, also where a second fit would say something else."""
    history.advice.freeze("ms", rows(), b"draws")
    assert history.advice.freeze("ms", rows(advised=77.0, run_id="run-2"), b"others") == 0
    ledger = history.advice.read("ms")
    assert set(ledger["run_id"]) == {"run-1"}
    assert ledger["advised"].iloc[0] != 77.0
    ((_, draws),) = history.advice.come("ms", LAST)
    assert draws == b"draws"


def test_another_question_is_another_vintage(history: History) -> None:
    """And so is other data."""
    for changes in ({}, {"request_version": "asked2"}, {"data_version": "data2"}):
        assert history.advice.freeze("ms", rows(**changes), b"draws") == 3
    assert len(list(history.advice.come("ms", LAST))) == 3


def test_advice_is_open_until_its_last_period_has_come(history: History) -> None:
    """A week before it nothing is handed out; without its draws it is left out."""
    history.advice.freeze("ms", rows(), b"draws")
    assert list(history.advice.come("ms", LAST - pd.Timedelta(days=7))) == []
    (file,) = (history.path.parent / "advice_draws" / "ms").glob("*.npz")
    file.unlink()
    assert list(history.advice.come("ms", LAST)) == []


def test_what_came_of_it_is_filled_in_and_follows_restated_data(history: History) -> None:
    """The bridge closes; the same again moves no time stamp, a restated target does."""
    history.advice.freeze("ms", rows(), b"draws")
    ((frozen, _),) = history.advice.come("ms", LAST)
    assert history.advice.fill_in("ms", outcome(frozen, 1030.0), scored_at=LATER) == 3
    assert history.advice.fill_in("ms", outcome(frozen, 1030.0)) == 0
    whole = outcomes_of(history.advice.read("ms")).iloc[0]
    assert whole["expected"] + whole["delivery"] + whole["rest"] == pytest.approx(whole["happened"], abs=1e-9)
    assert whole["scored_at"] == pd.Timestamp("2026-02-04 09:00")
    assert history.advice.fill_in("ms", outcome(frozen, 1000.0)) == 1
    assert outcomes_of(history.advice.read("ms")).iloc[0]["rest"] == 25.0


def test_vintages_are_judged_together(history: History) -> None:
    """Rests of 55 and -35 over 1,030 and 940 that happened: bias 20 / 1,970, size 90 / 1,970; one of two inside."""
    for version, happened, pit in (("data1", 1030.0, 0.97), ("data2", 940.0, 0.3)):
        frozen = rows(data_version=version)
        history.advice.freeze("ms", frozen, b"draws")
        history.advice.fill_in("ms", outcome(frozen, happened, pit))
    judged = calibration(history.advice.read()).iloc[0]
    assert (judged["client"], judged["vintages"], judged["coverage_90"]) == ("ms", 2, 0.5)
    assert judged["bias"] == pytest.approx(20.0 / 1970.0)
    assert judged["rest"] == pytest.approx(90.0 / 1970.0)


def test_the_database_is_made_again_with_the_advice(history: History) -> None:
    """The facts hold it; the view for BI tools has one row for each vintage that has come."""
    history.advice.freeze("ms", rows(), b"draws")
    history.advice.fill_in("ms", outcome(rows(), 1030.0))
    history.path.unlink()
    assert history.rebuild() == 3
    with duckdb.connect(history.path, read_only=True) as database:
        told = database.execute("SELECT client, rest_share, inside_90 FROM advice_outcomes").fetchall()
    assert told == [("ms", pytest.approx(55.0 / 1030.0), True)]


@pytest.mark.parametrize(
    "changes", [{"cutoff": FIRST}, {"dates": (LAST, FIRST)}], ids=["before the cutoff", "backwards"]
)
def test_what_would_be_wrong_for_ever_is_refused(changes: dict[str, Any]) -> None:
    """Periods that the model has seen, and a window that ends before it begins."""
    with pytest.raises(ValueError, match="cutoff"):
        rows(**changes)
