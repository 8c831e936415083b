"""The notebook face: the guide's words, keys and log lines; what it refuses and what it says then."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine import PymcModel
from mmm_engine.errors import ConfigError, DataError, FitError, MMMError
from mmm_engine.posterior.fitted_window import FittedWindow
from mmm_engine.results.predictive import predict
from mmm_engine.toolkit.fleet_result import SUMMARY_METRICS, FleetResult
from mmm_engine.toolkit.runner import Runner
from tests.engine.toolkit.toolkit_cases import CHANNELS, CONTROLS, SHORT, shop_frame, shop_model

GUIDE_PRIORS = {
    "intercept": 'Prior("HalfNormal", sigma=1)',
    "likelihood": 'Prior("Normal", sigma=Prior("HalfNormal", sigma=2))',
    "gamma_control": 'Prior("HalfNormal", sigma=1, dims="control")',
    "media_tvp_config": "HSGPKwargs(m=50, L=241.5, eta_lam=10.0, ls_mu=5.0, ls_sigma=5.0, cov_func=",
    "saturation_lam": 'Prior("HalfNormal", sigma=1, dims="channel")',
    "saturation_alpha": 'Prior("Gamma", mu=2, sigma=1, dims="channel")',
    "adstock_alpha": 'Prior("Beta", alpha=1, beta=3, dims="channel")',
}
LIFTS = pd.DataFrame(
    {
        "channel": ["tv"],
        "date": ["2022-06-06"],
        "x": [20.0],
        "delta_x": [5.0],
        "delta_y": [50.0],
        "sigma": [10.0],
    }
)
HALF_NORMAL = {"distribution": "HalfNormal", "sigma": 1}


@pytest.fixture(scope="module")
def fitted_model() -> PymcModel:
    """The small client's model, fitted on its sixty weeks."""
    model = shop_model()
    model.fit(**SHORT)
    return model


@pytest.fixture(scope="module")
def fitted_holdout(fitted_model: PymcModel) -> FleetResult:
    """Three held-out windows and two rolling origins."""
    return fitted_model.holdout_fleet(holdouts=[4, 8, 12], origins=2, progressbar=False)


# --- the guide -----------------------------------------------------------------------------------


def test_guide_data_and_priors(caplog: pytest.LogCaptureFixture) -> None:
    """The guide's own call on its own columns: log lines and priors as printed there, in its order."""
    data = pd.read_csv(Path(__file__).parents[3] / "data" / "ms.csv")
    assert data.shape == (161, 17)
    channel_names = ['snapchat_cost',
           'facebook_ads_conversions_cost', 'facebook_ads_brand_awareness_cost',
           'facebook_ads_engagement_cost', 'google_ads_video_cost',
           'google_ads_shopping_cost', 'google_ads_search_men_cost',
           'google_ads_search_kids_cost', 'google_ads_display_only_cost',
           'google_ads_search_brand_cost', 'google_ads_search_women_cost',
           'google_ads_search_others_cost', 'youtube_organic_views']  # fmt: skip
    with caplog.at_level(logging.INFO, "mmm_engine.toolkit"):
        model = PymcModel(client_data=data,
             target_name='ecommerce_revenue',
             date_column='date_week',
             channel_names=channel_names,
             control_names=['events', 'emails_delivered'],
             lag_max=4,
             scale_data=True,
             saturation='michaelis_menten',
             time_varying_media=True)  # fmt: skip
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "Creating the client's data configuration."
    assert "Target variable scaled using MaxAbsScaler." in said
    assert "Client data loaded for 'client0' with 161 rows." in said
    assert {record.name for record in caplog.records} == {"mmm_engine.toolkit"}
    assert list(model.model_priors) == list(GUIDE_PRIORS)
    for name, printed in GUIDE_PRIORS.items():
        assert repr(model.model_priors[name]).startswith(printed)
    assert model.get_covariates().shape == (161, 16)
    assert "161 weeks from 2021-01-04 to 2024-01-29, 13 channels, 2 controls" in repr(model)


def test_guide_variable(fitted_model: PymcModel) -> None:
    """The intercept in units of the target, under the guide's keys."""
    summary = fitted_model.summarize_variable(var_name="intercept")
    assert list(summary) == ["variable", "coef", "ci_up_cassandra", "ci_low_cassandra"]
    draws = fitted_model.posterior["posterior"]["intercept"].to_numpy() * shop_frame()["sales"].max()
    assert summary["coef"] == pytest.approx(draws.mean())
    assert summary["ci_low_cassandra"] == pytest.approx(np.quantile(draws, 0.05))
    assert summary["ci_up_cassandra"] == pytest.approx(np.quantile(draws, 0.95))


def test_vectors_are_labelled_and_in_their_units(fitted_model: PymcModel) -> None:
    """Controls per unit of the control, curve heights in units of the target, everything else as the model has it."""
    frame, posterior = shop_frame(), fitted_model.posterior["posterior"]
    target = frame["sales"].max()
    controls = fitted_model.summarize_variable("controls")
    gamma = posterior["gamma_control"].sel(control="promo").to_numpy().mean()
    assert list(controls["coef"]) == CONTROLS
    assert controls["coef"]["promo"] == pytest.approx(gamma * target / frame["promo"].max())
    alpha = posterior["saturation_alpha"].sel(channel="tv").to_numpy().mean()
    assert fitted_model.summarize_variable("saturation_alpha")["coef"]["tv"] == pytest.approx(alpha * target)
    adstock = posterior["adstock_alpha"].sel(channel="tv").to_numpy().mean()
    assert fitted_model.summarize_variable("adstock_alpha")["coef"]["tv"] == pytest.approx(adstock)


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


# --- predictions ---------------------------------------------------------------------------------


def test_prediction_of_fitted_rows(fitted_model: PymcModel) -> None:
    """Draws by row in original units; rows asked for by date are the same rows, in the order asked for."""
    whole = fitted_model.predict()
    assert whole.shape == (240, 60)
    assert np.corrcoef(whole.mean(axis=0), shop_frame()["sales"])[0, 1] > 0.9
    picked = shop_frame().iloc[[30, 10, 59]].drop(columns="sales")
    assert np.array_equal(fitted_model.predict(picked), whole[:, [30, 10, 59]])


def test_new_values_of_fitted_rows_count(fitted_model: PymcModel) -> None:
    """Media switched off in one row lowers that row."""
    silent = shop_frame().iloc[[40]].copy()
    silent[CHANNELS] = 0.0
    assert fitted_model.predict(silent).mean() < fitted_model.predict()[:, 40].mean()


def test_prediction_of_rows_that_follow() -> None:
    """Carry-over crosses the last fitted row: the same as predicting a window that holds these rows out."""
    model = shop_model(shop_frame(52))
    model.fit(**SHORT)
    new = shop_frame().iloc[52:].drop(columns="sales")
    drawn = model.predict(new)
    assert drawn.shape == (240, 8)
    fitted, longer = model.inputs, shop_model().inputs
    window = replace(
        longer,
        scales=fitted.scales,
        train_rows=52,
        target_scaled=longer.target / fitted.scales.target,
        media_scaled=_rescaled(longer.media_scaled, longer.scales.media_array(), fitted.scales.media_array()),
        controls_scaled=_rescaled(
            longer.controls_scaled, longer.scales.control_array(), fitted.scales.control_array()
        ),
    )
    whole = predict(FittedWindow.of(window, model.posterior))
    assert drawn == pytest.approx(whole.draws[:, 52:], rel=1e-9)


def _rescaled(rows: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    return rows * old / new


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (slice(50, 60), "2 fitted rows .* together with 8 other rows.*two calls"),
        (slice(53, 60), "no row for 2023-01-02, the first row after 2022-12-26.*add the rows"),
        ([52, 54], "no row for 2023-01-09, the second row after"),
    ],
)
def test_rows_at_a_wrong_place_are_refused(rows: slice | list[int], message: str) -> None:
    """An overlap and a gap say what to do about them."""
    from mmm_engine.toolkit.new_rows import place_rows

    with pytest.raises(DataError, match=message):
        place_rows(shop_model(shop_frame(52)).inputs, shop_frame().iloc[rows])


def test_all_faults_of_new_rows_at_once() -> None:
    """A column that is missing comes with the nearest one; then cells, each with its row."""
    from mmm_engine.toolkit.new_rows import place_rows

    inputs = shop_model().inputs
    with pytest.raises(
        DataError, match=r"2 faults(?s:.)*column 'tv'(?s:.)*did you mean 'tvs'(?s:.)*column 'promo'"
    ):
        place_rows(inputs, shop_frame().rename(columns={"tv": "tvs"}).drop(columns="promo"))
    broken = shop_frame().astype(object)
    broken.loc[3, "tv"], broken.loc[5, "radio"] = "much", -1.0
    with pytest.raises(DataError, match=r"column 'tv', row 4(?s:.)*column 'radio', row 6(?s:.)*0 or more"):
        place_rows(inputs, broken)
    with pytest.raises(DataError, match="a date that comes twice"):
        place_rows(inputs, shop_frame().iloc[[1, 1]])
    with pytest.raises(DataError, match=r"2021-12-27, which is no fitted row.*leave those rows out"):
        place_rows(inputs, shop_frame().iloc[[0]].assign(week="2021-12-27"))


# --- refresh -------------------------------------------------------------------------------------


def test_refresh_appends_and_reports_what_was_restated(caplog: pytest.LogCaptureFixture) -> None:
    """New weeks join, a restated old one is told and used, the last fit's settings stay."""
    model = shop_model(shop_frame(56))
    with pytest.raises(FitError, match=r"call fit\(\) first"):
        model.refresh(shop_frame().iloc[56:])
    model.fit(**SHORT)
    new = shop_frame().iloc[54:].copy()
    new.loc[55, "tv"] += 5.0
    with caplog.at_level(logging.INFO, "mmm_engine.toolkit"):
        restated = model.refresh(new, progressbar=False)
    assert restated["column"].tolist() == ["tv"]
    assert restated["after"].iloc[0] - restated["before"].iloc[0] == pytest.approx(5.0)
    assert restated["date"].iloc[0] == pd.Timestamp("2023-01-23")
    assert any("Restated: tv of 2023-01-23" in record.getMessage() for record in caplog.records)
    assert any("Added 4 new periods" in record.getMessage() for record in caplog.records)
    assert len(model.get_data()) == 60
    assert model.posterior["posterior"].sizes["draw"] == SHORT["draws"]
    scores = model.stability_fleet(checks=["seeds"], seeds=2, progressbar=False)
    assert list(scores.members) == ["full", "seeds", "seeds 2"]
    assert {"refresh", "seeds"} == set(scores.summary()["stability"])
    with pytest.raises(DataError, match="no row for"):
        model.refresh(shop_frame().iloc[[0]].assign(week="2023-05-01"))


# --- settings ------------------------------------------------------------------------------------


def test_data_in_and_out() -> None:
    """Rows in original units, covariates scaled to at most 1, the target either way."""
    model, frame = shop_model(), shop_frame()
    assert model.get_data()[CHANNELS].to_numpy() == pytest.approx(frame[CHANNELS].to_numpy())
    assert model.get_covariates()[[*CHANNELS, *CONTROLS]].max().tolist() == [1.0] * 5
    assert list(model.get_covariates()) == ["week", *CHANNELS, *CONTROLS]
    assert model.get_target().to_numpy() == pytest.approx(frame["sales"].to_numpy())
    assert model.get_target(original_scale=False).max() == 1.0


def test_without_scaling_the_model_sees_original_units() -> None:
    """Every scale is 1, in fleets too."""
    model = shop_model(scale_data=False)
    assert model.inputs.scales.target == 1.0
    assert model.get_covariates()["tv"].max() == pytest.approx(shop_frame()["tv"].max())
    window = model._runner(None).window(8)
    assert window.scales.media_array().tolist() == [1.0, 1.0, 1.0]
    assert window.horizon == 8


def test_own_priors_in_every_form() -> None:
    """A Prior, an HSGPKwargs, a mapping, and one number per channel."""
    from pymc_extras.prior import Prior
    from pymc_marketing.hsgp_kwargs import HSGPKwargs

    model = shop_model(
        priors={
            "intercept": Prior("HalfNormal", sigma=3),
            "media_tvp_config": HSGPKwargs(m=20, eta_lam=2.0),
            "controls": {"distribution": "Normal", "mu": 0, "sigma": 2},
            "saturation_alpha": Prior("Gamma", mu=[1, 2, 3], sigma=1, dims="channel"),
        }
    )
    config = model.inputs.config
    assert config.model.priors["intercept"] == {"distribution": "HalfNormal", "sigma": 3.0}
    assert config.model.priors["media_tvp_config"]["m"] == 20
    assert config.model.priors["gamma_control"]["distribution"] == "Normal"
    assert [channel.priors["saturation_alpha"]["mu"] for channel in config.channels] == [1.0, 2.0, 3.0]
    assert repr(model.model_priors["intercept"]) == 'Prior("HalfNormal", sigma=3)'


def test_lift_tests_become_part_of_the_settings() -> None:
    """Another version of the settings, the same rows; the likelihood knows of them."""
    plain, calibrated = shop_model(), shop_model(calibrations=LIFTS)
    config = calibrated.inputs.config
    assert config.lift_tests[0].delta_y == 50.0
    assert config.config_version != plain.inputs.config.config_version
    assert calibrated.inputs.data_version == plain.inputs.data_version


def test_every_term_of_the_model_can_be_asked_for() -> None:
    """As in a client file; their priors are among `model_priors`, and pymc-marketing's model has them too."""
    events = {"launch": "2022-03-01", "sale": {"start": "2022-07-04", "end": "2022-07-12"}}
    model = shop_model(yearly_seasonality=1, trend=3, events=events, likelihood="truncated_normal")
    settings = model.inputs.config.model
    assert settings.trend is not None
    assert (settings.trend.changepoints, settings.yearly_seasonality) == (3, 1)
    assert [event.name for event in settings.events] == ["launch", "sale"]
    assert repr(model.model_priors["likelihood"]).startswith('Prior("TruncatedNormal"')
    assert {"trend_delta", "event_sigma", "event_effect_size"} <= model.model_priors.keys()
    assert "yearly seasonality, trend, 2 events; not fitted" in repr(model)
    assert len(model.build_pymc_mmm().mu_effects) == 2


def test_changed_priors_count_at_the_next_fit() -> None:
    """What is set in `model_priors` is taken up; a name that is not known is refused."""
    from pymc_extras.prior import Prior

    model = shop_model()
    model.model_priors["intercept"] = Prior("HalfNormal", sigma=0.5)
    assert model.inputs.config.model.priors == {"intercept": {"distribution": "HalfNormal", "sigma": 0.5}}
    model.model_priors["intercpt"] = Prior("HalfNormal", sigma=0.5)
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        model.fit(**SHORT)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"priors": {"saturation_alph": {"distribution": "HalfNormal", "sigma": 1}}},
            "did you mean 'saturation_alpha'",
        ),
        ({"priors": {"intercept": 3}}, "priors\\['intercept'\\]: found 3; wanted a Prior"),
        (
            {"priors": {"gamma_control": {"distribution": "Normal", "mu": [0, 1], "sigma": 1}}},
            "only priors of saturation",
        ),
        ({"saturation": "michaelis"}, "did you mean 'michaelis_menten'"),
        ({"adstock": "geometri", "lag_max": 0}, "2 faults"),
        ({"channel_names": ["tv", "radios"]}, "did you mean 'radio'"),
        ({"client_name": "My Client"}, "rename the client"),
        ({"target_name": "week"}, "already used above"),
        ({"trend": 0}, "wanted at least 1"),
        ({"events": {"sale": "soon"}}, "a date written as YYYY-MM-DD"),
        ({"likelihood": "poisson"}, "wanted 'normal', 'student_t' or 'truncated_normal'"),
        ({"calibrations": LIFTS.drop(columns="date")}, "column 'date': found no such column"),
        ({"calibrations": LIFTS.assign(channel="tvs")}, "did you mean 'tv'"),
        ({"calibrations": LIFTS.assign(x=5000.0)}, "in the unit of the column"),
        ({"calibrations": LIFTS.assign(date="2020-01-06")}, "a date within the rows"),
        ({"calibrations": LIFTS.assign(sigma=0.0)}, "a standard error above 0"),
    ],
)  # fmt: skip
def test_wrong_settings_say_what_to_do(changes: dict[str, object], message: str) -> None:
    """Every refusal names the nearest right word or the next step."""
    with pytest.raises(MMMError, match=message):
        shop_model(**changes)


def test_wrong_order_says_what_comes_first() -> None:
    """Predictions and summaries need a fit."""
    model = shop_model()
    assert "not fitted" in repr(model)
    for call in (model.predict, lambda: model.summarize_variable("intercept"), lambda: model.posterior):
        with pytest.raises(FitError, match=r"call fit\(\) first"):
            call()


def test_unknown_variable_names_the_nearest(fitted_model: PymcModel) -> None:
    """A typing mistake gets the right name."""
    with pytest.raises(DataError, match="did you mean 'intercept'"):
        fitted_model.summarize_variable("intercpt")
    assert "fitted with 2 × 120 draws" in repr(fitted_model)


def test_pymc_model_for_those_who_go_on_by_hand() -> None:
    """An unfitted pymc-marketing MMM with the same columns and scales."""
    mmm = shop_model(time_varying_media=False).build_pymc_mmm()
    assert type(mmm).__name__ == "MMM"
    assert mmm.channel_columns == CHANNELS


def test_wrong_fleet_arguments() -> None:
    """Numbers of held-out rows and of simulations are checked before anything is fitted."""
    model = shop_model()
    with pytest.raises(DataError, match="different whole numbers above 0"):
        model.holdout_fleet(holdouts=[4, 4])
    with pytest.raises(DataError, match="'prior' or 'posterior'"):
        model.recovery_fleet(n_simulations=0)
    assert isinstance(model._runner(None), Runner)
