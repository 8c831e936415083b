"""What a run makes while automation is being evaluated is neither made again nor followed up too early."""

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.storage.partition_status_cache import AssetStatusCacheValue

from mmm_assets.dagster_private.moments import _stock_in_progress, look_at_one_moment
from mmm_assets.definitions import build_defs
from mmm_assets.partitions import WINDOW_NAMES
from tests.assets.automation.test_stages import FITS, FLEETS, RESULTS
from tests.assets.dagster_private.recording import end_run, materialise, plan_run, record_run

WINDOWS = [f"shop|{name}" for name in WINDOW_NAMES]


@pytest.fixture(autouse=True)
def _stock_again(monkeypatch):
    """Other tests get what they had."""
    monkeypatch.setattr(AssetGraphView, "_compute_run_in_progress_asset_subset", _stock_in_progress)


@pytest.fixture
def tick(instance, monkeypatch):
    """What an evaluation asks for, during which something happens."""
    instance.add_dynamic_partitions("client", ["shop", "app"])
    defs, state = build_defs(), {"cursor": None}
    stock = AssetStatusCacheValue.gen.__func__

    def evaluate(meanwhile=None) -> set[str]:
        happens = [meanwhile] if meanwhile else []

        async def gen(cls, context, key):  # asked which results are in progress, after which of them are new
            if happens and key[0].to_user_string() in RESULTS:
                happens.pop()()
            return await stock(cls, context, key)

        monkeypatch.setattr(AssetStatusCacheValue, "gen", classmethod(gen))
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=state["cursor"])
        state["cursor"] = result.cursor
        keys = defs.resolve_asset_graph().get_all_asset_keys()
        return {key.to_user_string() for key in keys if result.get_num_requested(key)}

    record_run(instance, {"canary"}, [None])
    evaluate()
    return evaluate


def reading_while_looked_at(instance, tick) -> tuple[set[str], set[str]]:
    """The run that fits windows reads them while automation is evaluated: what that evaluation and the next ask for."""
    record_run(instance, {"client_data"}, ["shop"])
    assert tick() == FITS | RESULTS
    run = plan_run(instance, FITS | RESULTS, WINDOWS)
    assert tick() == set()
    materialise(instance, run, FITS, WINDOWS)
    asked = tick(lambda: materialise(instance, run, RESULTS, WINDOWS))
    end_run(instance, run)
    return asked, tick()


def test_dagster_would_ask_for_results_twice(instance, tick):
    """The reason for this module: one run more, of results that are there."""
    asked, _ = reading_while_looked_at(instance, tick)
    assert asked >= RESULTS


def test_results_are_asked_for_once_and_fleets_after_them(instance, tick):
    """Nothing at that moment; the next look sees that they are there."""
    look_at_one_moment()
    assert reading_while_looked_at(instance, tick) == (set(), FLEETS)
