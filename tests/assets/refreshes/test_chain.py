"""One client's chain of runs: what is stored, recorded and judged."""

import dagster as dg
import pytest

from mmm_assets.checks.latest import latest_checks
from mmm_assets.definitions import build_defs
from mmm_assets.partitions import WINDOW_NAMES, window_key
from mmm_assets.runs import REFRESH_TAG
from mmm_assets.storage.io_managers import PosteriorFiles
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import FULL, STANDARD_WINDOWS
from tests.assets.conftest import CLIENTS, append_weeks, files_below

BY_WINDOW = {
    "scaled_inputs": "parquet",
    "fitted_posterior": "nc",
    "holdout_metrics": "parquet",
    "predictions": "parquet",
    "channel_returns": "parquet",
    "response_curves": "parquet",
    "decomposition": "parquet",
    "adstock_weights": "parquet",
    "parameters": "parquet",
    "chain_views": "parquet",
    "media_multiplier": "parquet",
    "period_returns": "parquet",
}
BY_CLIENT = {
    "client_data": "parquet",
    "recovery_scores": "parquet",
    "stability_scores": "parquet",
    "forecast": "parquet",
    "refresh_diff": "parquet",
    "metric_history": "json",
    "budget_plan": "json",
    "report": "html",
}


@pytest.fixture
def recorded(refreshed, open_home):
    """The instance of the home that was refreshed once."""
    return open_home(refreshed / "home")


def materialisations(instance, asset, partition):
    """Materialisations of a partition, newest first."""
    chosen = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[partition])
    return [
        record.asset_materialization for record in instance.fetch_materializations(chosen, limit=10).records
    ]


def test_every_asset_of_every_client_and_window_is_stored(refreshed):
    """The layout is <asset>/<client>/<window>.<ext> and <asset>/<client>.<ext>."""
    storage = refreshed / "home" / "storage"
    for client in CLIENTS:
        for asset, extension in BY_WINDOW.items():
            for window in WINDOW_NAMES:
                assert (storage / asset / client / f"{window}.{extension}").is_file()
        for asset, extension in BY_CLIENT.items():
            assert (storage / asset / f"{client}.{extension}").is_file()


def test_nothing_in_the_home_is_a_pickle_or_left_half_written(refreshed):
    """Pickle runs code when it is read; temporary files mean that a write was not finished."""
    for name in files_below(refreshed / "home"):
        assert not name.endswith((".pickle", ".pkl"))
        assert ".tmp-" not in name
        assert (refreshed / "home" / name).read_bytes()[:2] not in (b"\x80\x04", b"\x80\x05")


def test_every_window_of_the_one_run_is_materialised_with_its_own_numbers(recorded):
    """Four windows were one run, and each has its own event and its own metadata."""
    runs, rmse = set(), set()
    for window in STANDARD_WINDOWS:
        (event,) = materialisations(recorded, "holdout_metrics", window_key("shop", window))
        runs.add(
            recorded.fetch_materializations(
                dg.AssetRecordsFilter(
                    dg.AssetKey("holdout_metrics"), asset_partitions=[window_key("shop", window)]
                ),
                limit=1,
            )
            .records[0]
            .run_id
        )
        rmse.add(event.metadata["train_nrmse"].value)
        assert ("test_mape" in event.metadata) == (window != FULL)
        assert isinstance(event.metadata["rhat_max"].value, float)
    assert len(runs) == 1
    assert len(rmse) == 4


def test_every_check_of_every_window_has_an_evaluation_of_its_own(recorded):
    """A run of several windows is judged window by window; none stands for all."""
    checks = latest_checks(recorded, "shop")
    by_window = {(c.check, c.partition): c.outcome for c in checks}
    for check in ("training_cutoff", "fitted_rows", "sampler_converged", "holdout_calibration"):
        for window in STANDARD_WINDOWS:
            assert (check, window_key("shop", window)) in by_window
    assert by_window[("sampler_converged", "shop|full")] == "passed"
    for check in ("data_contract", "recovery", "stability", "history_rows", "report_self_contained"):
        assert by_window[(check, "shop")] == "passed"


def test_all_runs_of_a_refresh_carry_its_id(recorded):
    """The UI can show what belongs together, and history rows carry the same id."""
    runs = [run for run in recorded.get_runs() if run.tags.get("mmm/client") == "shop"]
    assert [run.job_name for run in reversed(runs)] == [
        "client_data_job",
        "windows_job",
        "fleets_job",
        "publish_job",
    ]
    assert len({run.tags[REFRESH_TAG] for run in runs}) == 1


def test_the_history_holds_every_score_of_the_refresh_once(refreshed, recorded):
    """Scores, returns and fleets of all windows, under the refresh that computed them."""
    from mmm_engine.history.store import History

    rows = History(refreshed / "home" / "metric_history.duckdb").read("shop")
    (refresh,) = {
        run.tags[REFRESH_TAG] for run in recorded.get_runs() if run.tags.get("mmm/client") == "shop"
    }
    assert set(rows["run_id"]) == {refresh}
    assert set(rows["window"]) == set(WINDOW_NAMES)
    assert {"mape", "skill", "rhat_max", "roas", "roas_q25", "recovery", "stability"} <= set(rows["metric"])
    assert not rows.duplicated(["window", "split", "channel", "metric"]).any()


def test_the_forecast_is_frozen_in_the_ledger(refreshed):
    """Eight weeks ahead, not yet judged."""
    from mmm_engine.history.store import History

    ledger = History(refreshed / "home" / "metric_history.duckdb").ledger("shop")
    assert len(ledger) == 8
    assert ledger["actual"].isna().all()


def test_what_is_stored_belongs_together(refreshed):
    """All frames of a window come from one fit, and the results read back are complete."""
    results = ResultStore(root=str(refreshed / "home")).read("app")
    assert list(results.windows) == list(STANDARD_WINDOWS)
    assert results.recovery is not None
    assert results.stability is not None
    assert results.forecast is not None
    assert results.refusals == ()
    assert "cpa" in set(results.windows[FULL].returns["metric"])


def test_no_clients_data_is_in_another_clients_results(refreshed):
    """Channels of one client never appear in what is stored about the other."""
    storage = refreshed / "home" / "storage"
    shop, app = (storage / "report" / f"{client}.html" for client in ("shop", "app"))
    assert "social" not in shop.read_text()
    assert "social" in app.read_text()


def test_new_weeks_give_a_new_refresh_that_judges_the_old_forecast(refresh_again, used_home, data_dir):
    """Frozen forecasts are scored with the weeks that came, and stability looks back at the last refresh."""
    from mmm_engine.history.store import History

    append_weeks(data_dir, "shop", 2)
    assert refresh_again("shop", windows=("full", "h04")).succeeded
    history = History(used_home / "metric_history.duckdb")
    ledger = history.ledger("shop")
    assert ledger["actual"].notna().sum() == 2
    assert len(ledger) == 16
    assert history.read("shop")["run_id"].nunique() == 2
    stability = ResultStore(root=str(used_home)).read("shop").stability
    assert set(stability["split"]) == {"windows", "refresh"}


def test_recording_again_changes_nothing(used_home, open_home, data_dir):
    """A row belongs to the refresh that computed it, however often it is recorded."""
    from mmm_assets.refreshes.chain import rerun
    from mmm_engine.history.store import History

    history = History(used_home / "metric_history.duckdb")
    before = history.read("shop")
    job = build_defs().resolve_job_def("publish_job")
    tags = {"dagster/partition": "shop"}
    assert rerun(open_home(used_home), job, "metric_history", tags) == []
    assert history.read("shop").equals(before)


def test_windows_that_are_no_neighbours_are_two_runs(refresh, instance, sampler):
    """h04 and h08 are not fitted when nobody asked for them."""
    outcome = refresh("shop", windows=("h12", "full"))
    assert outcome.failures == ()
    assert [name for name in sampler.fitted if "recovery" not in name] == ["shop full", "shop h12"]
    jobs = [run.job_name for run in reversed(instance.get_runs())]
    assert jobs == ["client_data_job", "windows_job", "windows_job", "fleets_job", "publish_job"]


def test_sampler_overrides_reach_every_fit(refresh, sampler):
    """Draws, tuning, chains and seed of the command line win over the client file."""
    refresh("shop", windows=("full",), sampler={"draws": 120, "tune": 30, "chains": 3, "seed": 9})
    assert {(s.draws, s.tune, s.chains, s.seed) for s in sampler.settings} == {(120, 30, 3, 9)}


def test_one_window_can_be_materialised_alone(used_home, open_home, data_dir, sampler):
    """As from the UI: one partition, its results replaced, the others untouched."""
    instance = open_home(used_home)
    before = files_below(used_home / "storage" / "fitted_posterior")
    result = (
        build_defs()
        .resolve_job_def("windows_job")
        .execute_in_process(instance=instance, partition_key="shop|h08")
    )
    assert result.success
    assert sampler.fitted == ["shop h08"]
    after = files_below(used_home / "storage" / "fitted_posterior")
    assert [name for name in after if after[name] != before[name]] == ["shop/h08.nc"]
    posterior = PosteriorFiles(root=str(used_home)).read("fitted_posterior", "shop|h08")
    assert posterior.attrs["fit_id"] == result.run_id
    assert {e.partition for e in result.get_asset_check_evaluations()} == {"shop|h08"}


def test_a_posterior_is_read_again_without_a_fit(used_home, open_home, data_dir, sampler):
    """All that is read from it is made together, so that it is of one fit."""
    readings = set(BY_WINDOW) - {"scaled_inputs", "fitted_posterior"}
    result = (
        build_defs()
        .resolve_job_def("window_results_job")
        .execute_in_process(instance=open_home(used_home), partition_key="app|full")
    )
    assert result.success
    made = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert made == readings
    assert sampler.fitted == []


def test_fits_run_in_the_pool_and_with_a_single_run_policy():
    """One fit at a time on a machine, and one run for the windows of a client."""
    graph = build_defs().resolve_asset_graph()
    fitted, recovery = graph.get(dg.AssetKey("fitted_posterior")), graph.get(dg.AssetKey("recovery_scores"))
    assert fitted.pools == recovery.pools == {"mcmc"}
    for asset in BY_WINDOW:
        assert graph.get(dg.AssetKey(asset)).backfill_policy == dg.BackfillPolicy.single_run()
