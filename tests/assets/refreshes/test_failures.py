"""What goes wrong costs only what it must: one window, one client, never the last good report."""

import dagster as dg
import pytest

from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.refreshes.chain import rerun
from mmm_assets.storage.io_managers import FrameFiles, JsonFiles
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.windows import FULL
from tests.assets.conftest import append_weeks, break_client, files_below


def history_of(home, client="shop"):
    """Recorded scores of a client."""
    from mmm_engine.history.store import History

    return History(home / "metric_history.duckdb").read(client)


def materialised(instance, asset):
    """Partitions of an asset that were ever materialised."""
    return set(instance.get_materialized_partitions(dg.AssetKey(asset)))


@pytest.mark.parametrize("fault", ["broken", "crashing"])
def test_a_window_that_cannot_be_fitted_costs_the_others_nothing(refresh, sampler, home, instance, fault):
    """The others are stored, judged, recorded and reported; the failure is named."""
    getattr(sampler, fault).add("h04")
    outcome = refresh("shop", windows=("full", "h04", "h08"))
    assert len(outcome.failures) == 1
    assert "shop|h04" in outcome.failures[0]
    others = {"shop|full", "shop|h08"}
    assert materialised(instance, "fitted_posterior") == others
    assert materialised(instance, "holdout_metrics") == others
    assert {e.partition for e in outcome.evaluations if e.check_name == "sampler_converged"} == others
    assert set(history_of(home)["window"]) == {"full", "h08"}
    assert Publication(root=str(home)).status("shop").published
    assert not outcome.succeeded


def test_a_full_fit_that_did_not_converge_publishes_nothing(refresh_again, sampler, used_home, data_dir):
    """The last good report stays and is marked stale; no forecast is issued; the scores are still recorded."""
    publication = Publication(root=str(used_home))
    good = publication.report_path("shop").read_text()
    append_weeks(data_dir, "shop")
    sampler.unhealthy.add("full")
    outcome = refresh_again("shop", windows=("full", "h04"))

    assert [(e.check_name, e.partition) for e in outcome.failed_checks] == [
        ("sampler_converged", "shop|full")
    ]
    stale = publication.report_path("shop").read_text()
    assert "Stale since" in stale
    assert "R-hat" in stale
    assert good.partition("</head>")[0] == stale.partition("</head>")[0]
    status = publication.status("shop")
    assert not status.published
    assert status.good_at
    assert publication.failed_path("shop").is_file()
    assert "do not use" in publication.failed_path("shop").read_text().lower()
    assert not [name for name in sampler.fitted if "recovery" in name]
    assert history_of(used_home)["run_id"].nunique() == 2
    from mmm_engine.history.store import History

    assert len(History(used_home / "metric_history.duckdb").ledger("shop")) == 8


@pytest.mark.parametrize("asset", ["forecast", "report"])
def test_no_button_publishes_an_unconverged_model(refresh, sampler, home, instance, asset):
    """The assets that publish ask the gates themselves, since blocking checks do not reach across runs."""
    sampler.unhealthy.add("full")
    refresh("shop", windows=("full",))
    job = build_defs().resolve_job_def("fleets_job" if asset == "forecast" else "publish_job")
    (failure,) = rerun(instance, job, asset, {"dagster/partition": "shop"})
    assert "sampler_converged" in failure
    assert not (home / "storage" / asset / f"shop.{'parquet' if asset == 'forecast' else 'html'}").exists()


def test_a_held_out_window_that_did_not_converge_is_a_caution_only(refresh, sampler, home):
    """Only the window that decisions are read from keeps a report back."""
    sampler.unhealthy.add("h04")
    outcome = refresh("shop", windows=("full", "h04"))
    assert outcome.succeeded
    status = Publication(root=str(home)).status("shop")
    assert (status.published, status.verdict) == (True, "usable with care")
    assert any(reason.startswith("sampler_converged (h04)") for reason in status.reasons)


def test_a_missed_canary_holds_everything_back(refresh_again, used_home, data_dir, instance):
    """Fitted and recorded, not published, whoever asks: the last good page is stale. The next one found frees all."""
    missed = "the canary's truth was missed by more than chance allows: tv found 1, true 9 (-8.0 sd)"
    files, publication = JsonFiles(root=str(used_home)), Publication(root=str(used_home))
    files.write("canary", None, {"hold": missed, "numbers": {}, "at": ""})
    append_weeks(data_dir, "shop")
    outcome = refresh_again("shop", windows=("full",))
    assert any(f"held back: {missed}" in failure for failure in outcome.failures)
    assert not publication.status("shop").published
    assert "Stale since" in publication.report_path("shop").read_text()
    assert history_of(used_home)["run_id"].nunique() == 2
    job = build_defs().resolve_job_def("fleets_job")
    (failure,) = rerun(instance, job, "forecast", {"dagster/partition": "shop"})
    assert "held back" in failure
    files.write("canary", None, {"hold": "", "numbers": {}, "at": ""})
    assert refresh_again("shop", windows=("full",)).succeeded
    assert publication.status("shop").published


def test_the_next_good_refresh_clears_the_stale_mark(refresh_again, sampler, used_home, data_dir):
    """Banner, refused page and reasons are gone."""
    append_weeks(data_dir, "shop")
    sampler.unhealthy.add("full")
    refresh_again("shop", windows=("full",))
    sampler.unhealthy.clear()
    assert refresh_again("shop", windows=("full",)).succeeded
    publication = Publication(root=str(used_home))
    assert "Stale since" not in publication.report_path("shop").read_text()
    assert not publication.failed_path("shop").exists()
    assert publication.status("shop").published


def test_a_full_window_that_cannot_be_fitted_keeps_the_old_report(
    refresh_again, sampler, used_home, data_dir
):
    """With new rows and no full fit, the old page says that it is stale."""
    append_weeks(data_dir, "shop")
    sampler.broken.add("full")
    outcome = refresh_again("shop", windows=("full", "h04"))
    assert any("shop|full" in failure for failure in outcome.failures)
    stale = Publication(root=str(used_home)).report_path("shop").read_text()
    assert "window_fitted" in stale
    assert "look at the rows" in stale  # what the fit complained of
    results = ResultStore(root=str(used_home)).read("shop")
    assert [window.name for window in results.windows] == ["h04"]


def test_a_client_of_which_no_window_can_be_fitted_is_marked(refresh_again, sampler, used_home, data_dir):
    """There is nothing to record, so the report is not even tried: the last good page says so all the same."""
    append_weeks(data_dir, "shop")
    sampler.broken |= {"full", "h04"}
    outcome = refresh_again("shop", windows=("full", "h04"))
    assert not outcome.succeeded
    publication = Publication(root=str(used_home))
    status = publication.status("shop")
    assert (status.published, status.refresh) == (False, outcome.refresh)
    assert "look at the rows" in " ".join(status.reasons)
    assert "Stale since" in publication.report_path("shop").read_text()


def test_a_refresh_that_breaks_off_early_marks_the_client(refresh_again, used_home, data_dir, monkeypatch):
    """Memory runs out while rows are read: no check could say it."""

    def fail(self, client):
        raise MemoryError("no memory left")

    monkeypatch.setattr("mmm_assets.storage.resources.ClientFiles.read", fail)
    assert not refresh_again("shop").succeeded
    status = Publication(root=str(used_home)).status("shop")
    assert not status.published
    assert "no memory left" in status.reasons[0]


def test_results_of_older_rows_are_never_shown_beside_new_ones(refresh_again, used_home, data_dir):
    """After new rows and a refresh of two windows, the other two are left out."""
    append_weeks(data_dir, "shop")
    refresh_again("shop", windows=("full", "h04"))
    stored = ResultStore(root=str(used_home)).read("shop")
    assert [window.name for window in stored.windows] == ["full", "h04"]


def test_refused_rows_stop_the_client_and_mark_its_report(refresh_again, sampler, used_home, data_dir):
    """The check lists every fault; rows, posteriors and history of the last refresh stay."""
    before = history_of(used_home)
    break_client(data_dir, "shop")
    outcome = refresh_again("shop")
    (check,) = outcome.evaluations
    assert (check.check_name, check.partition, check.passed, check.blocking) == (
        "data_contract",
        "shop",
        False,
        True,
    )
    assert check.metadata["fault_count"].value == 2
    assert sampler.fitted == []
    assert "Stale since" in Publication(root=str(used_home)).report_path("shop").read_text()
    assert history_of(used_home).equals(before)


def test_a_failed_recovery_does_not_keep_the_report_back(refresh, sampler, home):
    """The report says what is missing; the run of the fleets is red."""
    sampler.broken.add("recovery")
    outcome = refresh("shop", windows=("full",))
    assert any(failure.startswith("recovery_scores") for failure in outcome.failures)
    assert Publication(root=str(home)).status("shop").published
    assert ResultStore(root=str(home)).read("shop").recovery is None


def test_frames_of_different_fits_are_not_mixed(used_home, open_home, data_dir, sampler):
    """A window of which one frame is still that of the fit before has no results: its process died while it wrote."""
    path = FrameFiles(root=str(used_home)).path("channel_returns", "shop|full")
    before = path.read_bytes()
    job = build_defs().resolve_job_def("windows_job")
    assert job.execute_in_process(instance=open_home(used_home), partition_key="shop|full").success
    path.write_bytes(before)
    results = ResultStore(root=str(used_home)).read("shop")
    assert FULL not in results.windows
    assert [verdict.check for verdict in results.refusals] == ["window_fitted"]


def test_no_forecast_comes_from_a_posterior_that_nobody_has_judged(used_home, instance, data_dir, sampler):
    """Only the fit was made again: its scores belong to the fit before."""
    defs, alone = build_defs(), [dg.AssetKey("fitted_posterior")]
    instance.add_dynamic_partitions("client", ["shop"])
    fitted = defs.resolve_job_def("windows_job").execute_in_process(
        instance=instance, partition_key="shop|full", asset_selection=alone
    )
    assert fitted.success
    (failure,) = rerun(
        instance, defs.resolve_job_def("fleets_job"), "forecast", {"dagster/partition": "shop"}
    )
    assert "newer than its scores" in failure


def test_an_interrupted_refresh_stops_the_chain(refresh, home, instance, monkeypatch):
    """Ctrl-C ends the run that is under way; nothing of the stages after it runs."""

    def interrupted(*inputs, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmm_engine.posterior.fit.fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refresh("shop", windows=("full",))
    runs = {run.job_name: run.status.value for run in instance.get_runs()}
    assert runs == {"client_data_job": "SUCCESS", "windows_job": "FAILURE"}
    assert not (home / "storage" / "report").exists()


def test_a_refresh_that_fits_nothing_new_records_nothing_wrong(refresh, sampler, home):
    """Scores of the last fit keep the refresh that made them, new fleets get the new one."""
    refresh("shop", windows=("full",))
    sampler.broken.add("full")
    outcome = refresh("shop", windows=("full",))
    checks = {e.check_name: e.passed for e in outcome.evaluations}
    assert checks["history_rows"]
    rows = history_of(home)
    assert rows.loc[rows["metric"] == "mape", "run_id"].nunique() == 1
    assert rows.loc[rows["metric"] == "recovery", "run_id"].nunique() == 2


@pytest.mark.parametrize("client", ["../../evil", "..", "A", "a b"])
def test_a_hostile_partition_key_fails_and_writes_nothing(
    home, instance, data_dir, sampler, tmp_path, client
):
    """Anybody who reaches the UI can add a partition of any name."""
    instance.add_dynamic_partitions("client", [client])
    before = files_below(tmp_path)
    for job, key in (("client_data_job", client), ("windows_job", f"{client}|full"), ("publish_job", client)):
        result = (
            build_defs()
            .resolve_job_def(job)
            .execute_in_process(
                instance=instance,
                partition_key=key,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        )
        assert not result.success
        assert not result.get_asset_materialization_events()
    assert files_below(tmp_path) == before
