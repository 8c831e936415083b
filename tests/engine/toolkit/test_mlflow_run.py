"""A notebook's model as a run of MLflow: what is logged, where MLflow is missing, and that nothing else loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mmm_engine import PymcModel
from mmm_engine.errors import FitError, MMMError
from tests.engine.toolkit.toolkit_cases import shop_model


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow with runs in a folder of its own."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    return pytest.importorskip("mlflow")


def test_a_run_holds_settings_scores_report_and_draws(
    mlflow: Any, fitted_model: PymcModel, tmp_path: Path
) -> None:
    """Read back from the store; the model in it is the one that was logged."""
    run_id = fitted_model.log_to_mlflow(experiment="shops", run_name="first")
    assert mlflow.active_run() is None
    run = mlflow.get_run(run_id)
    assert mlflow.get_experiment(run.info.experiment_id).name == "shops"
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    with mlflow.start_run() as other:  # of the caller's own, whose experiment is what it was
        assert other.info.experiment_id != run.info.experiment_id
    again_id = fitted_model.log_to_mlflow(experiment="shops")
    assert mlflow.get_run(again_id).info.experiment_id == run.info.experiment_id
    expected = {
        "target.column": "sales",
        "channels": "tv, radio, search",
        "model.saturation": "michaelis_menten",
        "model.adstock.max_lag": "4",
        "sampler.draws": "120",
        "rows": "60",
        "last_row": "2023-02-20",
    }
    assert expected.items() <= run.data.params.items()
    fit = fitted_model._fitted("test")
    train = fit.scores[(fit.scores["split"] == "train") & (fit.scores["channel"] == "all")].set_index(
        "metric"
    )["value"]
    assert run.data.metrics["train.mape"] == pytest.approx(train["mape"])
    returns = fitted_model.returns().set_index(["metric", "channel"])["mean"]
    assert run.data.metrics["roas.tv"] == pytest.approx(returns["roas", "tv"])
    artifacts = {item.path for item in mlflow.MlflowClient().list_artifacts(run_id)}
    assert artifacts == {"model.nc", "report.html", "settings.json"}
    folder = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(tmp_path)))
    again = PymcModel.load(folder / "model.nc")
    assert again.returns().equals(fitted_model.returns())
    assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")[-200:]


def test_a_run_that_is_open_takes_the_model(mlflow: Any, fitted_model: PymcModel) -> None:
    """Beside what its owner logs; it stays open."""
    with mlflow.start_run() as run:
        mlflow.log_param("question", "does price matter?")
        assert fitted_model.log_to_mlflow() == run.info.run_id
        assert mlflow.active_run().info.run_id == run.info.run_id
    assert {"question", "channels"} <= mlflow.get_run(run.info.run_id).data.params.keys()


def test_without_mlflow_the_message_says_what_to_install(
    fitted_model: PymcModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a model that is not fitted is refused first."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MMMError, match=r"no MLflow.*pip install mlflow-skinny"):
        fitted_model.log_to_mlflow()
    with pytest.raises(FitError, match=r"log_to_mlflow\(\)"):
        shop_model().log_to_mlflow()


def test_nothing_loads_mlflow_before_something_is_logged() -> None:
    """Its import takes seconds."""
    code = "import sys, mmm_engine.toolkit.pymc_model, mmm_assets.cli.app; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
