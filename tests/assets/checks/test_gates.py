"""Every asset check fails when what it guards is wrong, window by window, and says so in numbers."""

from types import SimpleNamespace

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from mmm_assets.dagster_private.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from mmm_assets.definitions import build_defs
from mmm_assets.pages.publication import Publication
from mmm_assets.storage.io_managers import FrameFiles, HtmlFiles, JsonFiles, read_frame, write_frame
from mmm_engine.errors import DataError
from mmm_engine.scores.advice import ADVICE
from tests.assets.conftest import break_client


@pytest.fixture
def evaluate(used_home, instance, data_dir):
    """Run one check on stored values, as the UI's button does; evaluations by partition."""
    instance.add_dynamic_partitions("client", ["shop", "app"])

    def run(asset: str, check: str, *partitions: str) -> dict[str, dg.AssetCheckEvaluation]:
        selection = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey(asset), check))
        job = dg.define_asset_job("one_check", selection=selection)
        defs = dg.Definitions.merge(build_defs(), dg.Definitions(jobs=[job]))
        if len(partitions) == 1:
            tags = {"dagster/partition": partitions[0]}
        else:
            tags = {
                ASSET_PARTITION_RANGE_START_TAG: partitions[0],
                ASSET_PARTITION_RANGE_END_TAG: partitions[-1],
            }
        result = defs.resolve_job_def("one_check").execute_in_process(
            instance=instance, tags=tags, raise_on_error=False
        )
        return {str(e.partition): e for e in result.get_asset_check_evaluations()}

    return run


def change_scores(home, asset, key, metric, value):
    """Overwrite a stored score."""
    files = FrameFiles(root=str(home))
    frame = files.read(asset, key)
    frame.loc[(frame["metric"] == metric) & (frame["split"] != "train"), "value"] = value
    files.write(asset, key, frame)


def test_data_contract_fails_with_every_fault_of_the_file(instance, data_dir, home):
    """A gap and a negative spend: one evaluation, two faults, blocking, nothing stored."""
    break_client(data_dir, "shop")
    instance.add_dynamic_partitions("client", ["shop"])
    job = build_defs().resolve_job_def("client_data_job")
    result = job.execute_in_process(instance=instance, partition_key="shop", raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    assert not evaluation.passed
    assert (evaluation.blocking, evaluation.severity) == (True, dg.AssetCheckSeverity.ERROR)
    assert len(evaluation.metadata["faults"].value) == 2
    assert not result.get_asset_materialization_events()
    assert not (home / "storage" / "client_data").exists()


@pytest.mark.parametrize("reason", ["", "tv found 1, true 9"])
def test_canary_found_fails_when_the_truth_is_missed(home, instance, monkeypatch, reason):
    """Found or missed, its run says so in the list of checks, and pages ask what it stored."""
    verdict = SimpleNamespace(passed=not reason, reason=reason, numbers={"worst_sd": 1.5})
    monkeypatch.setattr("mmm_engine.fleets.canary.check_canary", lambda simulated: verdict)
    monkeypatch.setattr("mmm_engine.fleets.canary.simulated_canary", lambda: None)
    job = build_defs().resolve_job_def("canary_job")
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.blocking) == ("canary_found", not reason, True)
    assert result.success is not bool(reason)
    assert Publication(root=str(home)).held_back() == reason


def test_training_cutoff_fails_when_a_training_row_lies_after_the_cutoff(used_home, evaluate):
    """A stored window whose held-out rows are marked as training rows is leakage; the other windows pass."""
    path = used_home / "storage" / "scaled_inputs" / "shop" / "h08.parquet"
    frame, rest = read_frame(path)
    frame.loc[frame.index[-3:], "split"] = "train"
    write_frame(frame, path, rest)
    judged = evaluate("scaled_inputs", "training_cutoff", "shop|h04", "shop|h08", "shop|h12")
    assert {key: e.passed for key, e in judged.items()} == {
        "shop|h04": True,
        "shop|h08": False,
        "shop|h12": True,
    }
    assert judged["shop|h08"].blocking
    assert judged["shop|h08"].metadata["held_out_rows"].value == 5


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("rhat_max", 1.2),
        ("ess_bulk_min", 3.0),
        ("ess_tail_min", 3.0),
        ("divergence_rate", 0.5),
        ("tree_depth_hits", 7.0),
        ("bfmi_min", -1.0),
        ("rhat_max", float("nan")),
    ],
)
def test_sampler_converged_fails_for_each_of_its_numbers(used_home, evaluate, metric, value):
    """Each threshold has its own fault; a number that is not defined fails too."""
    change_scores(used_home, "holdout_metrics", "shop|full", metric, value)
    evaluation = evaluate("holdout_metrics", "sampler_converged", "shop|full")["shop|full"]
    assert not evaluation.passed
    assert (evaluation.blocking, evaluation.severity) == (True, dg.AssetCheckSeverity.ERROR)


def test_sampler_converged_is_a_warning_on_a_window_that_holds_rows_out(used_home, evaluate):
    """Judged window by window: h04 fails as a warning, full passes."""
    change_scores(used_home, "holdout_metrics", "shop|h04", "rhat_max", 1.2)
    judged = evaluate("holdout_metrics", "sampler_converged", "shop|full", "shop|h04")
    assert judged["shop|full"].passed
    assert not judged["shop|h04"].passed
    assert judged["shop|h04"].severity == dg.AssetCheckSeverity.WARN
    assert judged["shop|h04"].metadata["rhat_max"].value == 1.2


@pytest.mark.parametrize(("metric", "value"), [("bias", 0.5), ("coverage_90", 0.1)])
def test_holdout_calibration_fails_for_each_of_its_numbers(used_home, evaluate, metric, value):
    """Biased, or intervals too narrow; a window without held-out rows is not judged."""
    for good, number in (("bias", 0.0), ("coverage_90", 0.9)):
        change_scores(used_home, "holdout_metrics", "shop|h12", good, number)
    assert evaluate("holdout_metrics", "holdout_calibration", "shop|h12")["shop|h12"].passed
    change_scores(used_home, "holdout_metrics", "shop|h12", metric, value)
    evaluation = evaluate("holdout_metrics", "holdout_calibration", "shop|h12")["shop|h12"]
    assert not evaluation.passed
    assert not evaluation.blocking
    assert evaluation.metadata["what_to_do"].value == ADVICE["holdout_calibration"].remedy
    full = evaluate("holdout_metrics", "holdout_calibration", "shop|full")["shop|full"]
    assert full.metadata["outcome"].value == "not judged"
    assert full.description.startswith("not judged: ")


def test_holdout_skill_fails_by_how_many_windows_the_naive_forecast_wins(used_home, evaluate):
    """One that is lost by far is a warning, all longer ones an error; the client is judged once."""
    for window, skill in (("h04", 0.4), ("h08", 0.3), ("h12", 0.2)):
        change_scores(used_home, "holdout_metrics", f"shop|{window}", "skill", skill)
    assert evaluate("metric_history", "holdout_skill", "shop")["shop"].passed
    change_scores(used_home, "holdout_metrics", "shop|h08", "skill", -4e6)  # these clients' limit is -1e6
    one = evaluate("metric_history", "holdout_skill", "shop")["shop"]
    assert (one.passed, one.severity) == (False, dg.AssetCheckSeverity.WARN)
    change_scores(used_home, "holdout_metrics", "shop|h12", "skill", -2e6)
    both = evaluate("metric_history", "holdout_skill", "shop")["shop"]
    assert (both.passed, both.severity, both.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    assert both.metadata["skill_h12"].value == -2e6


def _fails(evaluate, check: str, severity: dg.AssetCheckSeverity) -> dg.AssetCheckEvaluation:
    evaluation = evaluate("metric_history", check, "shop")["shop"]
    assert (evaluation.passed, evaluation.severity, evaluation.blocking) == (False, severity, False)
    return evaluation


ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def change_plausibility(home, metric, value, split="all"):
    """Overwrite a plausibility number of the fit of all rows."""
    files = FrameFiles(root=str(home))
    frame = files.read("holdout_metrics", "shop|full")
    chosen = (frame["metric"] == metric) & (frame["split"] == split)
    assert chosen.any()
    frame.loc[chosen, "value"] = value
    files.write("holdout_metrics", "shop|full", frame)


def test_fit_explains_fails_when_nothing_is_explained(used_home, evaluate):
    """R² of the training rows."""
    change_plausibility(used_home, "r_squared", 0.9, "train")
    assert evaluate("metric_history", "fit_explains", "shop")["shop"].passed
    change_plausibility(used_home, "r_squared", -3e6, "train")
    _fails(evaluate, "fit_explains", ERROR)


def test_baseline_positive_fails_when_the_baseline_may_be_negative(used_home, evaluate):
    """Everything but media, of the fit of all rows."""
    change_plausibility(used_home, "baseline_negative", 0.0)
    assert evaluate("metric_history", "baseline_positive", "shop")["shop"].passed
    change_plausibility(used_home, "baseline_negative", 0.4)
    assert _fails(evaluate, "baseline_positive", ERROR).metadata["baseline_negative"].value == 0.4


def test_media_plausible_fails_when_media_bring_nearly_everything(used_home, evaluate):
    """82% of the target, as somebody once published it."""
    change_plausibility(used_home, "media_share", 0.82)
    assert "82%" in _fails(evaluate, "media_plausible", ERROR).description


def test_media_supported_fails_when_movements_speak_against_the_credit(used_home, evaluate):
    """None of the credit is supported: an error. It may be none of it: a warning."""
    change_plausibility(used_home, "media_support_sd", 0.1)
    change_plausibility(used_home, "media_support", 1.0)
    assert evaluate("metric_history", "media_supported", "shop")["shop"].passed
    change_plausibility(used_home, "media_support", -0.5)
    _fails(evaluate, "media_supported", ERROR)
    change_plausibility(used_home, "media_support", 2000.0)
    _fails(evaluate, "media_supported", WARN)


def test_media_known_fails_when_the_total_is_a_guess(used_home, evaluate):
    """The small client's limit asks for nothing; a probability above 1 cannot be, and fails."""
    change_plausibility(used_home, "media_share_far", 0.05)
    assert evaluate("metric_history", "media_known", "shop")["shop"].passed
    change_plausibility(used_home, "media_share_far", 1.5)
    _fails(evaluate, "media_known", WARN)


def test_controls_plausible_fails_when_one_moves_most_of_the_target(used_home, evaluate):
    """Beyond the limit of these clients."""
    change_plausibility(used_home, "control_share", 11.0)
    _fails(evaluate, "controls_plausible", ERROR)


def test_curves_plausible_fails_when_a_channel_stands_for_the_baseline(used_home, evaluate):
    """What it brings does not follow its media."""
    change_plausibility(used_home, "kept_at_tenth", 0.1)
    change_plausibility(used_home, "channel_share", 0.2)
    assert evaluate("metric_history", "curves_plausible", "shop")["shop"].passed
    change_plausibility(used_home, "kept_at_tenth", 0.95)
    _fails(evaluate, "curves_plausible", WARN)


def test_residuals_fails_when_errors_last(used_home, evaluate):
    """A baseline that wanders where the model has none."""
    change_plausibility(used_home, "residual_autocorrelation", 0.0, "train")
    assert evaluate("metric_history", "residuals", "shop")["shop"].passed
    change_plausibility(used_home, "residual_autocorrelation", 0.9, "train")
    _fails(evaluate, "residuals", WARN)


def test_one_explanation_fails_when_chains_settle_in_two_places(used_home, evaluate):
    """Counted at the fit; the chains of these clients settle in one."""
    assert evaluate("metric_history", "one_explanation", "shop")["shop"].passed
    change_scores(used_home, "holdout_metrics", "shop|full", "explanations", 2.0)
    assert "2 explanations" in _fails(evaluate, "one_explanation", WARN).description


def test_prior_pushes_fails_when_parameters_leave_their_priors(used_home, evaluate):
    """The stored range of one prior is moved away from its posterior."""
    files = FrameFiles(root=str(used_home))
    frame = files.read("parameters", "shop|full")
    frame["prior_q01"], frame["prior_q99"] = frame["q50"] - 1.0, frame["q50"] + 1.0
    files.write("parameters", "shop|full", frame)
    assert evaluate("metric_history", "prior_pushes", "shop")["shop"].passed
    frame.loc[frame["parameter"] == "intercept", ["prior_q01", "prior_q99"]] = (50.0, 51.0)
    files.write("parameters", "shop|full", frame)
    assert "intercept" in _fails(evaluate, "prior_pushes", WARN).description


def test_client_checks_are_not_judged_without_a_fit_of_the_present_rows(used_home, evaluate):
    """Results of other rows say nothing about these."""
    for path in (used_home / "storage" / "holdout_metrics" / "shop").glob("*"):
        path.unlink()
    evaluation = evaluate("metric_history", "media_plausible", "shop")["shop"]
    assert evaluation.metadata["outcome"].value == "not judged"
    assert (evaluation.passed, evaluation.severity) == (False, WARN)


def test_fitted_rows_fails_when_the_posterior_is_of_other_rows(used_home, evaluate):
    """The posterior says another last training date than its window."""
    assert evaluate("holdout_metrics", "fitted_rows", "shop|h08")["shop|h08"].passed
    files = FrameFiles(root=str(used_home))
    frame = files.read("holdout_metrics", "shop|h08")
    frame.attrs["train_rows"] = "3"
    files.write("holdout_metrics", "shop|h08", frame)
    evaluation = evaluate("holdout_metrics", "fitted_rows", "shop|h08")["shop|h08"]
    assert (evaluation.passed, evaluation.blocking) == (False, True)
    assert "train_rows 3" in evaluation.description


def test_drift_fails_when_errors_leave_their_usual_range(used_home, evaluate, data_dir):
    """Thirty quiet refreshes, then ten whose forecasts are four times as bad."""
    from mmm_engine.history.store import History

    history = History(used_home / "metric_history.duckdb")
    rows = history.read("shop", metric=["crps", "bias", "coverage_90"], window="h04", split="test")
    noise = np.random.default_rng(1)
    for number in range(40):
        past = rows.assign(run_id=f"r{number:02d}", cutoff=rows["cutoff"] + pd.Timedelta(weeks=number + 1))
        usual = past["metric"].map({"crps": 0.1, "bias": 0.0, "coverage_90": 0.9})
        past["value"] = usual + 0.01 * noise.standard_normal(len(past))
        past.loc[past["metric"] == "crps", "value"] *= 4 if number >= 30 else 1
        past["recorded_at"] += pd.Timedelta(weeks=number + 1)
        history.append(past)
        if number == 28:
            assert evaluate("metric_history", "drift", "shop")["shop"].passed
    evaluation = evaluate("metric_history", "drift", "shop")["shop"]
    assert not evaluation.passed
    assert "crps has left its usual range" in evaluation.description


def test_recovery_fails_when_the_truth_is_not_found(used_home, evaluate):
    """The median over parameters lies below the threshold."""
    change_scores(used_home, "recovery_scores", "shop", "recovery", 0.1)
    evaluation = evaluate("recovery_scores", "recovery", "shop")["shop"]
    assert not evaluation.passed
    assert evaluation.metadata["recovery"].value == 0.1


def test_stability_fails_when_channels_move(used_home, evaluate, data_dir):
    """The weighted overlap lies below the threshold."""
    change_scores(used_home, "stability_scores", "shop", "stability", -0.5)
    assert not evaluate("stability_scores", "stability", "shop")["shop"].passed


def store_audit(home, asset, *rows):
    """Store scores of an audit as if it had run after the client's refresh: (split, channel, metric, value)."""
    files = FrameFiles(root=str(home))
    scores = pd.DataFrame(
        [(*row, "score") for row in rows], columns=["split", "channel", "metric", "value", "unit"]
    )
    scores.attrs.update(files.read("recovery_scores", "shop").attrs)
    files.write(asset, "shop", scores)


def test_identification_fails_when_a_channel_cannot_be_read(used_home, evaluate):
    """Weak channels pass with a remark; one that is not identified does not, and is named."""
    verdicts = [("identification", "tv", "identified", 1.0), ("identification", "search", "identified", 0.5)]
    store_audit(used_home, "identification_scores", *verdicts)
    assert evaluate("identification_scores", "identification", "shop")["shop"].passed
    store_audit(used_home, "identification_scores", verdicts[0], (*verdicts[1][:3], 0.0))
    evaluation = evaluate("identification_scores", "identification", "shop")["shop"]
    assert not evaluation.passed
    assert "search" in evaluation.description


@pytest.mark.parametrize(
    ("split", "metric", "sound", "wrong"),
    [
        ("seeds", "stability", 0.95, -0.5),
        ("perturbation", "stability", 0.9, -0.5),
        ("placebo", "roas_ratio", 0.1, 0.9),
    ],
)
def test_sensitivity_fails_when_what_should_not_matter_does(used_home, evaluate, split, metric, sound, wrong):
    """Another seed, noise on spend, a placebo that earns."""
    store_audit(used_home, "sensitivity_scores", (split, "all", metric, sound))
    assert evaluate("sensitivity_scores", "sensitivity", "shop")["shop"].passed
    store_audit(used_home, "sensitivity_scores", (split, "all", metric, wrong))
    assert not evaluate("sensitivity_scores", "sensitivity", "shop")["shop"].passed


def test_history_rows_fails_when_the_record_is_incomplete(used_home, evaluate):
    """The receipt says more rows than the database holds."""
    assert evaluate("metric_history", "history_rows", "shop")["shop"].passed
    files = JsonFiles(root=str(used_home))
    receipt = files.read("metric_history", "shop")
    receipt[0]["rows"] += 1
    files.write("metric_history", "shop", receipt)
    assert not evaluate("metric_history", "history_rows", "shop")["shop"].passed


def passes_advice(home, evaluate, check, **changes):
    """Whether a check of stored advice passes that is sound but for these changes."""
    files = JsonFiles(root=str(home))
    proof = {"gap_share": 1e-9, "spread": 1e-9, "tight": True, "without_history": []}
    files.write(
        "budget_plan",
        "shop",
        files.read("budget_plan", "shop") | {"proof": proof, "beyond_seen": []} | changes,
    )
    return evaluate("budget_plan", check, "shop")["shop"].passed


def test_advice_given_fails_where_a_model_advises_nothing(used_home, evaluate):
    """A model that is not to be used."""
    assert passes_advice(used_home, evaluate, "advice_given")
    assert not passes_advice(used_home, evaluate, "advice_given", refused=["R-hat of 1.4"])


def test_advice_proven_fails_where_another_plan_may_be_better(used_home, evaluate):
    """By one in a hundred."""
    loose = {"gap_share": 0.01, "spread": 0.1, "tight": False, "without_history": []}
    assert passes_advice(used_home, evaluate, "advice_proven")
    assert not passes_advice(used_home, evaluate, "advice_proven", proof=loose)


def test_advice_within_seen_fails_where_a_channel_gets_more_than_ever(used_home, evaluate):
    """In one period."""
    assert passes_advice(used_home, evaluate, "advice_within_seen")
    assert not passes_advice(used_home, evaluate, "advice_within_seen", beyond_seen=[{"channel": "tv"}])


@pytest.mark.parametrize(
    "addition",
    ['<script src="https://cdn.example/x.js"></script>', "<style>@import 'https://x.example/a.css'</style>"],
)
def test_report_self_contained_fails_when_the_page_would_load_something(used_home, evaluate, addition):
    """A script or a style sheet from elsewhere."""
    pages = HtmlFiles(root=str(used_home))
    page = pages.read("report", "shop")
    assert evaluate("report", "report_self_contained", "shop")["shop"].passed
    pages.write("report", "shop", page.replace("</body>", f"{addition}</body>"))
    assert not evaluate("report", "report_self_contained", "shop")["shop"].passed


def test_every_check_is_tested_here():
    """A check nobody has seen fail may be one that cannot."""
    from pathlib import Path

    text = "".join(
        Path(__file__).with_name(name).read_text() for name in ("test_gates.py", "test_standing.py")
    )
    for key in build_defs().resolve_asset_graph().asset_check_keys:
        assert f"def test_{key.name}_" in text, key


def test_thresholds_come_from_the_client_file(used_home, evaluate):
    """The tests' clients allow an R-hat of 1.05, the platform 1.01."""
    change_scores(used_home, "holdout_metrics", "shop|full", "rhat_max", 1.04)
    assert evaluate("holdout_metrics", "sampler_converged", "shop|full")["shop|full"].passed


def test_faults_are_shown_as_a_table():
    """Where, found, wanted and fix of every fault."""
    from mmm_assets.checks.evaluations import faults
    from mmm_engine.errors import Fault

    shown = faults(DataError("client 'x'", [Fault("row 3", "-1", "0 or more", "correct it")]))
    assert shown["fault_count"] == 1
    assert dict(shown["faults"].records[0].data) == {
        "where": "row 3",
        "found": "-1",
        "wanted": "0 or more",
        "fix": "correct it",
    }
