"""What is stored about a client, read in one go."""

from __future__ import annotations

from mmm_assets.storage.io_managers import FrameFiles, JsonFiles
from mmm_assets.storage.results import FIT_FAULTS, ClientResults, ResultStore


def test_verdicts_are_judged_once_while_the_files_stay(used_home, monkeypatch) -> None:
    """Seven steps of a refresh ask for them; a plan or a forecast stored meanwhile changes none."""
    judged = []
    plain = ClientResults._judged
    monkeypatch.setattr(ClientResults, "_judged", lambda self: judged.append(1) or plain(self))
    store, frames = ResultStore(root=str(used_home)), FrameFiles(root=str(used_home))
    first = store.read("shop").verdicts
    frames.write("forecast", "shop", frames.read("forecast", "shop"))
    assert store.read("shop").verdicts == first
    assert len(judged) <= 1


def test_verdicts_follow_every_file_that_they_are_read_from(used_home) -> None:
    """A window, a fleet and the note on a fit: one is changed, taken away, and put there, between two readings."""
    store, frames = ResultStore(root=str(used_home)), FrameFiles(root=str(used_home))
    before = {verdict.check for verdict in store.read("shop").refusals}
    metrics = frames.read("holdout_metrics", "shop|full")
    metrics.loc[metrics["metric"] == "rhat_max", "value"] = 3.0
    frames.write("holdout_metrics", "shop|full", metrics)
    assert {verdict.check for verdict in store.read("shop").refusals} - before == {"sampler_converged"}

    frames.path("holdout_metrics", "shop|full").unlink()
    missing = {verdict.check: verdict.reason for verdict in store.read("shop").verdicts}
    assert "refresh the client" in missing["window_fitted"]
    note = {
        "reason": "it was too cold",
        **{name: metrics.attrs[name] for name in ("data_version", "config_version")},
    }
    JsonFiles(root=str(used_home)).write(FIT_FAULTS, "shop|full", note)
    told = {verdict.check: verdict.reason for verdict in store.read("shop").verdicts}
    assert "it was too cold" in told["window_fitted"]

    with_fleets = store.read("shop").verdicts
    frames.path("stability_scores", "shop").unlink()
    assert store.read("shop").verdicts != with_fleets
