"""Claims about the last published refresh: kept at publication, compared with at the next one, explained."""

from __future__ import annotations

import pandas as pd
import pytest

from mmm_assets.storage.io_managers import FrameFiles
from mmm_assets.storage.published import RETURNS, PublishedStates
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import FULL
from tests.assets.conftest import append_weeks


def test_a_published_refresh_is_kept_with_its_rows_and_returns(refreshed) -> None:
    """What the next refresh is compared with is what was published."""
    home = str(refreshed / "home")
    state = PublishedStates(root=home).read("shop")
    stored = ResultStore(root=home).read("shop")
    assert state.data.data_version == stored.data.data_version
    pd.testing.assert_frame_equal(state.returns, stored.windows[FULL].returns, check_like=True)
    assert "nutpie" in state.versions
    assert state.ess > 1


def test_the_first_refresh_has_nothing_to_explain(refreshed) -> None:
    """An empty diff, and no further fit."""
    assert len(ResultStore(root=str(refreshed / "home")).read("shop").diff) == 0


def test_a_move_is_split_into_causes_that_sum_to_it(used_home, refresh_again, data_dir, sampler) -> None:
    """Four weeks with triple sales triple every return: two further fits are made and their parts add up."""
    append_weeks(data_dir, "shop", 4)
    rows = pd.read_csv(data_dir / "shop.csv")
    rows.loc[rows.index[-4:], "sales"] *= 3
    rows.to_csv(data_dir / "shop.csv", index=False)
    before = PublishedStates(root=str(used_home)).read("shop")
    assert refresh_again("shop").succeeded
    diff = ResultStore(root=str(used_home)).read("shop").diff
    assert set(diff["step"]) == {"new periods", "sampler noise"}
    assert sampler.fitted.count("shop full") == 3  # this refresh, and one more seed of either state
    sums = diff.groupby(["channel", "metric"])["change"].sum()
    ends = diff.groupby(["channel", "metric"])[["before", "after"]].first()
    assert (sums - (ends["after"] - ends["before"])).abs().max() < 1e-9
    old = before.returns.query("channel == 'tv' and metric == 'roas'")["mean"].iloc[0]
    assert ends.loc[("tv", "roas"), "before"] == pytest.approx(old)
    now = PublishedStates(root=str(used_home)).read("shop")
    assert len(now.data) == len(before.data) + 4


def test_a_refused_refresh_does_not_become_the_one_to_compare_with(
    used_home, refresh_again, data_dir, sampler
) -> None:
    """Only what was published counts."""
    append_weeks(data_dir, "shop")
    sampler.unhealthy.add("full")
    before = PublishedStates(root=str(used_home)).read("shop")
    refresh_again("shop")
    assert PublishedStates(root=str(used_home)).read("shop").data.data_version == before.data.data_version


def test_files_that_do_not_belong_together_are_no_refresh(used_home) -> None:
    """A crash between the two writes: better no comparison than a wrong one."""
    files = FrameFiles(root=str(used_home))
    returns = files.read(RETURNS, "shop")
    returns.attrs["data_version"] = "000000000000"
    files.write(RETURNS, "shop", returns)
    assert PublishedStates(root=str(used_home)).read("shop") is None
