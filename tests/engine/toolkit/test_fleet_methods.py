"""The fleets of the notebook face: the guide's keys, one interface for all, what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine import PymcModel
from mmm_engine.errors import DataError
from mmm_engine.toolkit.fleet_result import SUMMARY_METRICS, FleetResult
from mmm_engine.toolkit.runner import Runner
from tests.engine.toolkit.toolkit_cases import CHANNELS, shop_model


def test_guide_recovery_fleet(fitted_model: PymcModel) -> None:
    """The guide's keys; its parameters in its order."""
    summary = fitted_model.recovery_fleet(progressbar=False).summary()
    assert {"divergences", "max_tree_depth", "train", "recovery"} <= set(summary)
    assert tuple(summary["train"]) == SUMMARY_METRICS
    assert list(summary["recovery"]) == [
        "y_sigma",
        "intercept",
        "controls",
        "media_temporal_latent_multiplier_raw_eta",
        "media_temporal_latent_multiplier_raw_ls",
        "saturation_lam",
        "saturation_alpha",
        "adstock_alpha",
    ]
    assert set(summary["channels"]) == set(CHANNELS)
    assert {channel["identified"] for channel in summary["channels"].values()} <= {0.0, 0.5, 1.0}


def test_guide_production_fleet(fitted_model: PymcModel, tmp_path: Path) -> None:
    """The last month held out; its report is one page."""
    fleet = fitted_model.production_fleet(progressbar=False)
    assert list(fleet.summary()) == ["divergences", "max_tree_depth", "train", "test"]
    assert tuple(fleet.summary()["test"]) == SUMMARY_METRICS
    assert fleet.fits[0].inputs.horizon == 4
    page = fleet.generate_report(output_html=tmp_path / "discoveries" / "toy_prod_fleet.html")
    assert fleet.generate_report(tmp_path / "by_place.html").is_file()
    text = page.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    assert "client0" in text


def test_guide_holdout_fleet(fitted_holdout: FleetResult) -> None:
    """Indexable by position and by name; each member looks like the guide's."""
    assert len(fitted_holdout) == 3
    assert list(fitted_holdout[0]) == ["divergences", "max_tree_depth", "train", "test"]
    assert fitted_holdout[0] == fitted_holdout["h04"]
    assert fitted_holdout[-1] == fitted_holdout["h12"]
    assert list(fitted_holdout.summary()["windows"]) == ["h04", "h08", "h12"]
    tests = [member["test"]["mape"] for member in fitted_holdout]
    assert fitted_holdout.summary()["test"]["mape"] == pytest.approx(np.mean(tests))


def test_a_notebook_shows_a_fleet_as_a_table(fitted_holdout: FleetResult) -> None:
    """A row per member, a column per score of each split; the sign < of its name is text."""
    shown = fitted_holdout._repr_html_()
    assert shown.startswith("<p>&lt;holdout fleet of 3")
    assert shown.count("<tr") == 1 + 3
    for word in ("<th>h04</th>", "<th>h08</th>", "<th>h12</th>", "<th>test mape</th>", "<th>train crps</th>"):
        assert word in shown
    assert f"<td>{fitted_holdout['h08']['test']['mape']:.3g}</td>" in shown


def test_origins_give_scores_by_horizon(fitted_holdout: FleetResult) -> None:
    """Origins 4 and 8 rows back: two folds up to 4 rows ahead, one at 8, none at 12."""
    horizons = fitted_holdout.summary()["horizons"]
    assert {name: scores["folds"] for name, scores in horizons.items()} == {
        "ahead_01": 2.0,
        "ahead_02": 2.0,
        "ahead_04": 2.0,
        "ahead_08": 1.0,
    }
    own = fitted_holdout.scores[fitted_holdout.scores["window"] == "origins"]
    assert set(own["split"]) == set(horizons)


def test_one_window_is_fitted_once(
    fitted_model: PymcModel, fitted_holdout: FleetResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that a fleet has fitted is not fitted again by the next one."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr("mmm_engine.toolkit.runner.fit_window", refuse)
    again = fitted_model.holdout_fleet(holdouts=[8], progressbar=False)
    assert again.fits[0] is fitted_holdout.fits[1]


def test_stability_fleet(fitted_model: PymcModel, fitted_holdout: FleetResult) -> None:
    """Windows and another seed; nothing to compare with before the first refresh."""
    summary = fitted_model.stability_fleet(checks=["windows", "seeds"], progressbar=False).summary()
    assert set(summary["stability"]) == {"windows", "seeds"}
    assert 0 < summary["stability"]["seeds"]["all"]["stability"] <= 1
    assert set(summary["stability"]["windows"]) == {*CHANNELS, "all"}
    with pytest.raises(DataError, match="some of windows, seeds"):
        fitted_model.stability_fleet(checks=["weather"])


def _run(model: PymcModel, fleet: str) -> FleetResult:
    """A fleet at its smallest."""
    arguments: dict[str, dict[str, object]] = {
        "recovery": {"n_simulations": 2, "truth": "posterior"},
        "holdout": {"holdouts": [4, 8]},
        "stability": {"checks": ["seeds", "perturbation"]},
    }
    run: FleetResult = getattr(model, f"{fleet}_fleet")(**arguments.get(fleet, {}), progressbar=False)
    return run


@pytest.mark.parametrize(
    ("fleet", "members", "sections"),
    [
        (
            "recovery",
            ["simulation 1", "simulation 2"],
            {"recovery", "channels", "simulations", "rejected_share"},
        ),
        ("production", ["h04"], set()),
        ("holdout", ["h04", "h08"], {"windows"}),
        ("stability", ["full", "seeds", "perturbation"], {"windows", "stability"}),
        ("forecast", ["full"], {"forecast"}),
    ],
)
def test_every_fleet_has_the_same_interface(
    fitted_model: PymcModel, tmp_path: Path, fleet: str, members: list[str], sections: set[str]
) -> None:
    """Summary, tidy scores, figures, a report, len, index, iteration, repr."""
    result = _run(fitted_model, fleet)
    summary = result.summary()
    assert set(summary) - {"divergences", "max_tree_depth", "train", "test"} == sections
    assert tuple(summary["train"]) == SUMMARY_METRICS
    assert len(result) == len(members)
    assert list(result) == [result[name] for name in members] == [result[n] for n in range(len(members))]
    with pytest.raises(IndexError):
        result[len(members)]
    assert list(result.scores.columns) == ["window", "split", "channel", "metric", "value", "unit"]
    assert not result.scores.duplicated(["window", "split", "channel", "metric"]).any()
    assert set(members) <= set(result.scores["window"]) or fleet == "recovery"
    assert len(result.figures["roas_intervals"].data) > 0
    page = result.generate_report(output_html=tmp_path / f"{fleet}.html").read_text(encoding="utf-8")
    assert "client0" in page
    assert repr(result).startswith(f"<{fleet} fleet of {len(members)}: {members[0]}")


def test_forecast_fleet(fitted_model: PymcModel, tmp_path: Path) -> None:
    """Last year's pattern by default; a planned CSV sets the horizon; a forecast figure is there."""
    fleet = fitted_model.forecast_fleet(progressbar=False)
    assert len(fleet.tables["forecast"]) == 8
    plan = pd.DataFrame({"week": pd.date_range("2023-02-27", periods=5, freq="W-MON").strftime("%Y-%m-%d")})
    plan[CHANNELS] = 0.0
    plan.to_csv(tmp_path / "plan.csv", index=False)
    planned = fitted_model.forecast_fleet(plan=str(tmp_path / "plan.csv"), progressbar=False)
    assert list(planned.summary()["forecast"]) == list(plan["week"])
    assert planned.tables["forecast"]["mean"].max() < fleet.tables["forecast"]["mean"].mean()
    assert "forecast_fan" in fleet.figures
    assert len(fleet.figures["forecast_fan"].data) > 0


def test_wrong_fleet_arguments() -> None:
    """Numbers of held-out rows and of simulations are checked before anything is fitted."""
    model = shop_model()
    with pytest.raises(DataError, match="different whole numbers above 0"):
        model.holdout_fleet(holdouts=[4, 4])
    with pytest.raises(DataError, match="'prior' or 'posterior'"):
        model.recovery_fleet(n_simulations=0)
    assert isinstance(model._runner(None), Runner)
