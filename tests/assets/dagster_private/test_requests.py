"""An evaluation of automation asks for one run a client and stage, not for a backfill that has to be looked at."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView, TemporalContext
from dagster._core.definitions import automation_tick_evaluation_context as evaluation
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.definitions.partitions.subset.default import DefaultPartitionsSubset

from mmm_assets.dagster_private.ranges import keep_together
from mmm_assets.dagster_private.requests import _stock_requests, ask_for_runs
from mmm_assets.definitions import build_defs
from mmm_assets.partitions import WINDOW_NAMES

START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
FITS = ("scaled_inputs", "fitted_posterior", "holdout_metrics")


@pytest.fixture(autouse=True)
def _stock_again(monkeypatch):
    """Other tests get what they had."""
    monkeypatch.setattr(evaluation, "build_run_requests", _stock_requests)
    ranges = DefaultPartitionsSubset.get_partition_key_ranges
    yield
    DefaultPartitionsSubset.get_partition_key_ranges = ranges


@pytest.fixture
def requested(instance):
    """What comes of assets and the partitions of them that are asked for."""
    instance.add_dynamic_partitions("client", ["app", "bar", "shop"])
    graph = build_defs().resolve_asset_graph()

    def build(asked: dict[str, list[str]]) -> list[dg.RunRequest]:
        view = AssetGraphView(
            temporal_context=TemporalContext(effective_dt=datetime.now(UTC), last_event_id=None),
            instance=instance,
            asset_graph=graph,
        )
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            subsets = [
                view.get_asset_subset_from_asset_partitions(
                    dg.AssetKey(name), {AssetKeyPartitionKey(dg.AssetKey(name), key) for key in keys}
                )
                for name, keys in asked.items()
            ]
            return list(
                evaluation.build_run_requests(subsets, graph, {"dagster/tick": "7"}, emit_backfills=True)
            )

    return build


def windows(*clients: str) -> list[str]:
    """All windows of some clients."""
    return [f"{client}|{name}" for client in clients for name in WINDOW_NAMES]


def names(request: dg.RunRequest) -> set[str]:
    """What a run makes."""
    return {key.to_user_string() for key in request.asset_selection}


def test_dagster_would_ask_for_a_backfill(requested):
    """The reason for this module."""
    (request,) = requested({name: windows("app", "shop") for name in FITS})
    assert request.requires_backfill_daemon()


def test_the_windows_of_each_client_are_one_run(requested):
    """Whose tags say which client it is for, and which tick asked for it."""
    keep_together("client")
    ask_for_runs()
    requests = requested({name: windows("app", "shop") for name in FITS})
    assert {(request.tags[START], request.tags[END]) for request in requests} == {
        ("app|full", "app|h12"),
        ("shop|full", "shop|h12"),
    }
    assert not any(request.requires_backfill_daemon() for request in requests)
    assert all(names(request) == set(FITS) for request in requests)
    assert {request.tags["dagster/tick"] for request in requests} == {"7"}


def test_clients_that_are_ready_at_once_are_a_run_each(requested):
    """Of their fleets or their publication; what is asked for of a client together stays together."""
    ask_for_runs()
    requests = requested({"metric_history": ["app", "shop"], "report": ["app", "shop"]})
    assert sorted(request.partition_key for request in requests) == ["app", "shop"]
    assert all(names(request) == {"metric_history", "report"} for request in requests)
    assert not any(request.requires_backfill_daemon() for request in requests)


def test_windows_come_before_what_follows_from_them(requested):
    """New rows of a client whose fleets are due: it gets one run at a time, the one that was asked for first."""
    keep_together("client")
    ask_for_runs()
    first, second = requested(
        {"recovery_scores": ["app"]}
        | {name: windows("app") for name in ("scaled_inputs", "fitted_posterior")}
    )
    assert names(first) == {"scaled_inputs", "fitted_posterior"}
    assert names(second) == {"recovery_scores"}


def test_a_gap_between_windows_makes_two_runs(requested):
    """A run holds an unbroken range of windows."""
    keep_together("client")
    ask_for_runs()
    requests = requested({"holdout_metrics": ["app|full", "app|h08", "app|h12"]})
    assert {(request.tags[START], request.tags[END]) for request in requests} == {
        ("app|full", "app|full"),
        ("app|h08", "app|h12"),
    }


def test_what_needs_an_order_is_left_to_a_backfill(requested):
    """One window of an asset and four of what is made of it are two runs, of which one waits for the other."""
    ask_for_runs()
    (request,) = requested({"scaled_inputs": ["app|full"], "fitted_posterior": windows("app")})
    assert request.requires_backfill_daemon()
