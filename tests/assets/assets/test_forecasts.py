"""Forecasts of a client over its refreshes: the plan beside its file, the ledger, what happened afterwards."""

import pandas as pd
import pytest
import yaml

from mmm_assets.storage.results import ResultStore
from mmm_engine.history.store import History

CHANNELS = ["tv", "search"]


@pytest.fixture
def whole(data_dir) -> pd.DataFrame:
    """The client's sixty rows, of which the data folder holds the first 52."""
    frame = pd.read_csv(data_dir / "shop.csv")
    frame.iloc[:52].to_csv(data_dir / "shop.csv", index=False)
    return frame


def write_plan(folder, weeks, spend=0.0):
    """Put a plan of equal spend beside the client's file, and its name into it."""
    pd.DataFrame({"week": weeks, **dict.fromkeys(CHANNELS, spend)}).to_csv(
        folder / "shop_plan.csv", index=False
    )
    path = folder / "shop.yaml"
    path.write_text(
        yaml.safe_dump({**yaml.safe_load(path.read_text()), "forecast": {"plan": "shop_plan.csv"}})
    )


def stored_forecast(home):
    """The forecast of the last refresh."""
    return ResultStore(root=str(home)).read("shop").forecast


def test_weeks_that_come_score_the_forecast_made_before_them(refresh, home, data_dir, whole, mmm):
    """A refresh eight weeks early freezes eight forecasts; the full rows score all of them, by horizon and vintage."""
    assert refresh("shop", windows=("full",)).failures == ()
    frozen = stored_forecast(home)
    whole.to_csv(data_dir / "shop.csv", index=False)
    assert refresh("shop", windows=("full",)).failures == ()
    history = History(home / "metric_history.duckdb")
    ledger = history.ledger("shop")
    early, later = (ledger[ledger["cutoff"] == pd.Timestamp(day)] for day in ("2024-12-23", "2025-02-17"))
    assert early["actual"].tolist() == whole["sales"].iloc[52:].tolist()
    assert early["q50"].tolist() == pytest.approx(frozen["q50"].tolist())
    assert len(later) == 8
    assert later["actual"].isna().all()
    code, out, _ = mmm("history", "shop", "--ledger")
    assert code == 0
    assert "How forecasts turned out, by periods ahead" in out
    by_vintage = out[out.index("by vintage") :]
    assert f"{early['inside_90'].astype(float).mean():.1%}" in by_vintage
    assert f"{early['crps'].mean():.5g}" in by_vintage
    assert "The last of 16 forecasts" in out


def test_a_plan_beside_the_client_file_is_followed(refresh, home, data_dir, whole):
    """Ten planned weeks without any media: ten forecasts, below those of last year's pattern."""
    refresh("shop", windows=("full",))
    without = stored_forecast(home)
    write_plan(data_dir, [*whole["week"].iloc[52:], "2025-02-24", "2025-03-03"])
    assert refresh("shop", windows=("full",)).failures == ()
    planned = stored_forecast(home)
    assert (len(without), len(planned)) == (8, 10)
    assert (planned["mean"].iloc[:8] < without["mean"]).all()


def test_weeks_after_the_plan_follow_last_year(refresh, home, data_dir, whole):
    """The plan of the quarter goes on serving when its first weeks have come."""
    write_plan(data_dir, whole["week"].iloc[52:].tolist())
    whole.iloc[:57].to_csv(data_dir / "shop.csv", index=False)
    assert refresh("shop", windows=("full",)).failures == ()
    planned = stored_forecast(home)["mean"]
    (data_dir / "shop_plan.csv").unlink()
    path = data_dir / "shop.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "forecast": {"horizon": 8}}))
    assert refresh("shop", windows=("full",)).failures == ()
    pattern = stored_forecast(home)["mean"]
    assert len(planned) == len(pattern) == 8
    assert (planned.iloc[:3] < pattern.iloc[:3]).all()
    assert planned.iloc[-1] == pytest.approx(pattern.iloc[-1])


def test_a_plan_that_cannot_be_read_costs_the_forecast_only(refresh, home, data_dir, whole, mmm):
    """`mmm check` names the fault; a refresh fits, scores and reports, and says why there is no new forecast."""
    write_plan(data_dir, ["2024-12-30", "2025-01-13"])
    code, _, err = mmm("check", "shop")
    assert code == 2
    assert "plan shop_plan.csv: column 'week': found 2025-01-13; wanted one row a week from 2024-12-30" in err
    outcome = refresh("shop", windows=("full",))
    assert len(outcome.failures) == 1
    assert "2025-01-13" in outcome.failures[0]
    assert (home / "storage" / "report" / "shop.html").is_file()
    assert stored_forecast(home) is None
