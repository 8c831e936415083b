"""The notebook face: the guide's words and log lines; settings, priors, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmm_engine import PymcModel
from mmm_engine.client.windows import Window
from mmm_engine.errors import ConfigError, DataError, FitError, MMMError
from mmm_engine.model.pymc_reference import training_frame
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


def test_currency_and_what_the_target_counts_are_arguments() -> None:
    """As in client files: amounts of money carry the one, reports of the other tell cost per conversion."""
    model = shop_model(
        target_name={"column": "sales", "kind": "conversions"}, currency="EUR", control_names=["price"]
    )
    config = model._data.config
    assert (config.target.kind, config.target.column, config.currency) == ("conversions", "sales", "EUR")
    assert "3 channels, 1 control, geometric adstock" in repr(model)


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
    window = model._runner(None).inputs(Window.holding_out(8))
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


def test_columns_may_be_mappings_as_in_a_client_file() -> None:
    """Unit, cost, priors and curves of one channel, signs of controls; in a list among names, or as one mapping."""
    from pymc_extras.prior import Prior

    frame = shop_frame().assign(tv_cost=lambda rows: 3.0 * rows["tv"] + 1.0)
    tv = {
        "column": "tv",
        "unit": "views",
        "cost": "tv_cost",
        "adstock": {"kind": "delayed", "max_lag": 6},
        "priors": {"saturation_alpha": Prior("Gamma", mu=3, sigma=1)},
    }
    price = {"column": "price", "effect": "negative"}
    model = shop_model(frame, channel_names=[tv, "radio", "search"], control_names=[price, "promo"])
    config = model.inputs.config
    assert config.channel_names == ("tv", "radio", "search")
    assert config.channels[0].priors["saturation_alpha"]["mu"] == 3.0
    assert config.channels[0].adstock.max_lag == 6
    assert [control.effect for control in config.controls] == ["negative", "positive"]
    assert model.inputs.spend[:, 0] == pytest.approx(3.0 * frame["tv"].to_numpy() + 1.0)
    by_name = dict.fromkeys(CHANNELS) | {"tv": {**tv, "column": "tv"}}
    again = shop_model(
        frame, channel_names=by_name, control_names={"price": {"effect": "negative"}, "promo": None}
    )
    assert again.inputs.config == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_names": [{"column": "tv", "costs": "tv_cost"}, "radio"]}, "did you mean 'cost'"),
        ({"channel_names": ["tv", 3]}, "channel_names"),
        ({"channel_names": [{"cost": "tv_cost"}]}, "column"),
        ({"channel_names": [{"column": "tv", "priors": {"adstock_alpha": 3}}]}, "wanted a Prior"),
        ({"channel_names": ["tv_spnd"]}, "column 'tv_spnd'.*did you mean 'tv_spend'"),
        ({"channel_names": ["spend_tv"]}, "did you mean 'tv_spend'"),
        ({"channel_names": ["tv_cost"]}, "did you mean 'tv_spend'"),
        ({"channel_names": [{"column": "radio", "cost": "radio_cst"}]}, "did you mean 'radio_cost'"),
        ({"control_names": ["promos"]}, "did you mean 'promo'"),
        ({"date_column": "weak"}, "did you mean 'week'"),
        ({"target_name": "sale"}, "did you mean 'sales'"),
    ],
)
def test_a_column_that_is_not_there_comes_with_the_nearest_one(changes: dict[str, Any], message: str) -> None:
    """For channels, costs, controls, date and target alike; settings of a channel too."""
    frame = shop_frame().rename(columns={"tv": "tv_spend"}).assign(radio_cost=lambda rows: rows["radio"])
    with pytest.raises(MMMError, match=message):
        shop_model(frame, **{"channel_names": ["tv_spend", "radio", "search"], **changes})


def test_the_model_of_pymc_marketing_has_the_lift_tests(caplog: pytest.LogCaptureFixture) -> None:
    """In its likelihood, from the start and through its own fit; a test outside the rows is told, not dropped."""
    outside = LIFTS.assign(date="2023-03-06")
    model = shop_model(calibrations=pd.concat([LIFTS, outside], ignore_index=True))
    with caplog.at_level(logging.WARNING, "mmm_engine.model"):
        mmm = model.build_pymc_mmm()
    assert "lift_test_1" in {variable.name for variable in mmm.model.observed_RVs}
    assert len(mmm.model.observed_RVs) == 2
    assert [record.getMessage() for record in caplog.records if record.name == "mmm_engine.model"] == [
        "Lift test 2 of 'tv' (2023-03-06) is not part of the MMM: not all of its rows are training rows."
    ]
    rows, target = training_frame(model.inputs)
    mmm.fit(rows, target, draws=2, tune=2, chains=1, cores=1, progressbar=False, random_seed=1)
    assert "lift_test_1" in mmm.idata["observed_data"]


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
    """What is set in `model_priors` is taken up; a name that is not known is refused at once, and by the fit."""
    from pymc_extras.prior import Prior

    model = shop_model()
    model.model_priors["intercept"] = Prior("HalfNormal", sigma=0.5)
    assert model.inputs.config.model.priors == {"intercept": {"distribution": "HalfNormal", "sigma": 0.5}}
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        model.model_priors["intercpt"] = Prior("HalfNormal", sigma=0.5)
    with pytest.raises(ConfigError, match="wanted a Prior"):
        model.model_priors["intercept"] = 3
    assert "intercpt" not in model.model_priors
    model.model_priors["controls"] = Prior("Normal", mu=0, sigma=2)
    assert model.inputs.config.model.priors["gamma_control"]["sigma"] == 2.0
    dict.update(model.model_priors, intercpt=Prior("HalfNormal", sigma=0.5))
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        model.fit(**SHORT)


def test_every_way_to_set_a_prior_refuses_what_the_model_cannot_have() -> None:
    """Several at once are set all or none."""
    from pymc_extras.prior import Prior

    model, narrow = shop_model(), Prior("HalfNormal", sigma=0.5)
    priors = model.model_priors
    names = list(priors)
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        priors.update(intercept=narrow, intercpt=narrow)
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        priors |= {"intercpt": narrow}
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        priors.setdefault("intercpt", narrow)
    assert (list(priors), model.inputs.config.model.priors) == (names, {})
    priors.update({"intercept": narrow})
    assert priors.setdefault("intercept", 3) is narrow
    priors |= {"controls": Prior("Normal", mu=0, sigma=2)}
    assert priors is model.model_priors
    assert set(model.inputs.config.model.priors) == {"intercept", "gamma_control"}


def test_a_refused_prior_is_forgotten_once_it_is_taken_back() -> None:
    """A name that no fit takes, a prior changed where it stands: deleted or put right, the next fit goes on."""
    from pymc_extras.prior import Prior

    model = shop_model()
    dict.update(model.model_priors, intercpt=Prior("HalfNormal", sigma=0.5))
    with pytest.raises(ConfigError, match="did you mean 'intercept'"):
        model.inputs  # noqa: B018
    del model.model_priors["intercpt"]
    assert model.inputs.config.model.priors == {}
    sigma = model.model_priors["intercept"].parameters["sigma"]
    model.model_priors["intercept"].parameters["sigma"] = -1
    with pytest.raises(ConfigError, match="intercept"):
        model.inputs  # noqa: B018
    model.model_priors["intercept"].parameters["sigma"] = sigma
    assert model.inputs.config.model.priors == {}


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
