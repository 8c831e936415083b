"""Advice of a client over its refreshes: frozen when it is given, filled in when its weeks have come."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from mmm_assets.storage.io_managers import JsonFiles
from mmm_engine.history.advice_ledger import outcomes_of
from mmm_engine.history.store import History


@pytest.fixture
def whole(data_dir) -> pd.DataFrame:
    """The client's sixty rows, of which the data folder holds the first 52."""
    frame = pd.read_csv(data_dir / "shop.csv")
    frame.iloc[:52].to_csv(data_dir / "shop.csv", index=False)
    return frame


def test_weeks_that_come_tell_what_came_of_advice(refresh, home, data_dir, whole, mmm) -> None:
    """Eight weeks later the ledger has what was spent and what happened, and the bridge closes."""
    assert refresh("shop", windows=("full",)).failures == ()
    history = History(home / "metric_history.duckdb")
    frozen = history.advice.read("shop")
    assert frozen["scored_at"].isna().all()
    refresh("shop", windows=("full",))
    pd.testing.assert_frame_equal(history.advice.read("shop"), frozen)
    whole.to_csv(data_dir / "shop.csv", index=False)
    assert refresh("shop", windows=("full",)).failures == ()
    ledger = history.advice.read("shop")
    assert len(ledger) == 2 * len(frozen)
    (come,) = outcomes_of(ledger).to_dict("records")
    weeks = whole.iloc[52:56]
    assert come["spent"] == pytest.approx(weeks[["tv", "search"]].to_numpy().sum())
    assert come["happened"] == pytest.approx(weeks["sales"].sum())
    closed = come["expected"] + come["delivery"] + come["rest"]
    assert closed == pytest.approx(come["happened"], abs=1e-9 * come["happened"])
    code, out, err = mmm("history", "shop", "--advice")
    assert code == 0, err
    assert "happened = expected + delivery + rest" in out
    assert "The last of 2 pieces of advice" in out


def test_advice_of_a_refused_model_is_not_frozen(refresh, home, sampler, mmm) -> None:
    """A model that is not to be used advises nothing, and the ledger says that there is none."""
    sampler.unhealthy.add("full")
    refresh("shop", windows=("full",))
    assert History(home / "metric_history.duckdb").advice.read("shop").empty
    assert "No advice recorded for client 'shop' yet" in mmm("history", "shop", "--advice")[1]
    (reason,) = JsonFiles(root=str(home)).read("budget_plan", "shop")["refused"]
    assert reason.startswith("convergence of the sampler: ")  # as the page calls the check, said once
    assert "wanted a model that may be used" not in reason
    (row,) = [row for row in json.loads(mmm("list", "--format", "json")[1]) if row["client"] == "shop"]
    assert row["plan"] == "no advice"  # it was "hold", which a sound plan may say too
