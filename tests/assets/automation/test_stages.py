"""Each stage of a refresh is asked for once, when the stage before it is done, whoever made that."""

import functools
from collections.abc import Callable

import dagster as dg
import pytest

from mmm_assets.definitions import build_defs
from mmm_assets.partitions import WINDOW_NAMES
from mmm_assets.runs import COMMAND_TAG
from tests.assets.dagster_private.recording import record_run

ROWS = {"client_data"}
FITS = {"scaled_inputs", "fitted_posterior"}
RESULTS = {
    "holdout_metrics", "predictions", "channel_returns", "response_curves", "decomposition", "adstock_weights",
    "parameters", "chain_views", "media_multiplier", "period_returns",
}  # fmt: skip
FLEETS = {"recovery_scores", "stability_scores", "forecast", "refresh_diff"}
PUBLICATION = {"metric_history", "budget_plan", "report"}
WINDOWS = [f"shop|{name}" for name in WINDOW_NAMES]


@pytest.fixture
def graph(instance):
    """What the next evaluation asks for, as partition keys by asset; and materialising by hand."""
    instance.add_dynamic_partitions("client", ["shop", "app"])
    defs, state = build_defs(), {"cursor": None}

    def tick() -> dict[str, set[str | None]]:
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=state["cursor"])
        state["cursor"] = result.cursor
        asked = {}
        for key in defs.resolve_asset_graph().get_all_asset_keys():
            if result.get_num_requested(key):
                asked[key.to_user_string()] = result.get_requested_partitions(key)
        return asked

    record_run(instance, {"canary"}, [None])
    tick()  # the first evaluation takes note of where things stand
    return tick


@pytest.fixture
def make(instance) -> Callable[..., None]:
    """Record assets of some partitions as a run that was to make all of them and ended."""
    return functools.partial(record_run, instance)


def test_rows_lead_to_all_windows_of_the_client_in_one_go(graph, make):
    """Fits and everything read from them, four windows, this client only; and only once."""
    make(ROWS, ["shop"])
    asked = graph()
    assert set(asked) == FITS | RESULTS
    assert all(partitions == set(WINDOWS) for partitions in asked.values())
    assert graph() == {}


def test_windows_lead_to_fleets_and_these_to_history_and_report(graph, make):
    """History waits for the fleets that are about to run."""
    make(FITS | RESULTS, WINDOWS)
    asked = graph()
    assert set(asked) == FLEETS
    assert all(partitions == {"shop"} for partitions in asked.values())
    make(FLEETS, ["shop"])
    assert set(graph()) == PUBLICATION
    make(PUBLICATION, ["shop"])
    assert set(graph()) == {"portfolio"}
    make({"portfolio"}, [None])
    assert graph() == {}


def test_fleets_that_failed_do_not_keep_the_report_back(graph, make):
    """Nothing came of them; windows are new all the same."""
    make(FITS | RESULTS, WINDOWS)
    assert set(graph()) == FLEETS
    assert set(graph()) == PUBLICATION


def test_windows_that_were_fitted_are_read_though_another_failed(graph, make):
    """Their run ended before it came to reading; the failed window is not fitted again."""
    make(ROWS, ["shop"])
    assert set(graph()) == FITS | RESULTS
    assert graph() == {}
    make({"scaled_inputs"}, WINDOWS, planned=FITS | RESULTS)
    make({"fitted_posterior"}, ["shop|full", "shop|h08"])
    asked = graph()
    assert set(asked) == RESULTS
    assert all(partitions == {"shop|full", "shop|h08"} for partitions in asked.values())
    assert graph() == {}


@pytest.mark.parametrize(
    ("assets", "partitions", "later"),
    [
        (ROWS, ["shop"], FITS),
        ({"scaled_inputs"}, WINDOWS, FITS | RESULTS),
        ({"metric_history"}, ["shop"], PUBLICATION),
    ],
)
def test_a_stage_that_failed_is_not_asked_for_again(graph, make, assets, partitions, later):
    """A hundred clients that fail would be a hundred thousand runs."""
    make(assets, partitions, planned=later)
    first = graph()
    assert not set(first) & {"fitted_posterior", "report"} or assets == ROWS
    assert graph() == {}


def test_one_window_that_somebody_fits_again_flows_through(graph, make):
    """From a button: its results, then fleets and report of the client."""
    make({"fitted_posterior"}, ["shop|full"])
    asked = graph()
    assert {name: partitions for name, partitions in asked.items() if name in RESULTS} == {
        name: {"shop|full"} for name in RESULTS
    }


def test_what_a_command_makes_is_left_to_the_command(graph, make):
    """It walks from stage to stage itself; nothing is made twice."""
    make(ROWS, ["shop"], tags={COMMAND_TAG: "mmm refresh shop"})
    assert graph() == {}
    make(FITS | RESULTS, WINDOWS, tags={COMMAND_TAG: "mmm refresh shop"})
    assert graph() == {}


def test_an_audit_is_recorded_and_reported(graph, make):
    """Its scores are new for the history; nothing is fitted."""
    make({"origin_scores", "identification_scores", "sensitivity_scores"}, ["shop"])
    assert set(graph()) == PUBLICATION


def test_a_canary_is_fitted_in_a_new_home(instance):
    """Before anything is published."""
    defs = build_defs()
    asked = dg.evaluate_automation_conditions(defs=defs, instance=instance)
    assert asked.get_num_requested(dg.AssetKey("canary")) == 1
    assert asked.total_requested == 1
