"""Results in a notebook: the tree that ArviZ takes, tidy frames, draws from the priors."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from scipy.stats import norm

from mmm_engine import PymcModel
from mmm_engine.errors import DataError, FitError
from mmm_engine.model.pymc_reference import INTERCEPT_NAMES, training_frame
from mmm_engine.report.figures import FIGURES
from mmm_engine.results.decomposition import contributions
from mmm_engine.results.inference_data import inference_data
from mmm_engine.toolkit.fleet_result import FleetResult
from tests.engine.toolkit.toolkit_cases import CHANNELS, CONTROLS, shop_frame, shop_model

GROUPS = {
    "posterior",
    "sample_stats",
    "posterior_predictive",
    "log_likelihood",
    "prior",
    "prior_predictive",
    "observed_data",
    "constant_data",
}


def test_the_tree_has_every_group_with_its_coordinates(fitted_model: PymcModel) -> None:
    """Chains and draws are numbered, rows are dates, elements have names; it is made once."""
    idata = fitted_model.idata
    assert set(idata.children) == GROUPS
    for group in GROUPS - {"observed_data", "constant_data"}:
        chains, draws = (1, 1000) if group.startswith("prior") else (2, 120)
        assert idata[group]["chain"].to_numpy().tolist() == list(range(chains))
        assert idata[group]["draw"].to_numpy().tolist() == list(range(draws))
    for group in ("posterior_predictive", "log_likelihood", "prior_predictive", "observed_data"):
        assert idata[group]["y"]["date"].dt.strftime("%Y-%m-%d").to_numpy().tolist() == list(
            shop_frame()["week"]
        )
    assert idata["posterior"]["adstock_alpha"]["channel"].to_numpy().tolist() == CHANNELS
    assert {name: variable.dims for name, variable in idata["prior"].to_dataset().data_vars.items()} == {
        name: variable.dims for name, variable in idata["posterior"].to_dataset().data_vars.items()
    }
    assert fitted_model.idata is idata


def test_rows_of_the_tree_are_in_original_units(fitted_model: PymcModel) -> None:
    """Target, media and controls are the client's rows; predictions are those of `predict`."""
    idata, frame = fitted_model.idata, shop_frame()
    assert idata["observed_data"]["y"].to_numpy() == pytest.approx(frame["sales"].to_numpy())
    assert idata["constant_data"]["channel_data"].to_numpy() == pytest.approx(frame[CHANNELS].to_numpy())
    assert idata["constant_data"]["control_data"].to_numpy() == pytest.approx(frame[CONTROLS].to_numpy())
    drawn = idata["posterior_predictive"]["y"].to_numpy().reshape(240, 60)
    assert np.array_equal(drawn, fitted_model.predict())


def test_log_likelihood_is_that_of_the_target_in_its_unit(fitted_model: PymcModel) -> None:
    """The normal density of sales around the expected sales of each draw, by scipy."""
    expected = fitted_model._fitted("this").prediction.mean_draws.reshape(2, 120, 60)
    sigma = fitted_model.idata["posterior"]["y_sigma"].to_numpy() * shop_frame()["sales"].max()
    density = norm.logpdf(shop_frame()["sales"].to_numpy(), expected, sigma[..., None])
    assert fitted_model.idata["log_likelihood"]["y"].to_numpy() == pytest.approx(density, rel=1e-9)


def test_held_out_rows_stay_out_of_the_tree(fitted_holdout: FleetResult) -> None:
    """A window that hides four weeks has 56 rows in every group."""
    fit = fitted_holdout.fits[0]
    tree = inference_data(fit, fit.prediction)
    assert {tree[group].sizes["date"] for group in GROUPS if "date" in tree[group].sizes} == {56}


def test_arviz_takes_the_tree_as_it_is(fitted_model: PymcModel) -> None:
    """Summary, leave-one-out, comparison, and the figures that people draw first."""
    mpl.use("Agg")
    import arviz as az
    import matplotlib.pyplot as plt

    idata = fitted_model.idata
    summary = az.summary(idata, var_names=["intercept", "adstock_alpha"])
    assert list(summary.index) == ["intercept", *(f"adstock_alpha[{name}]" for name in CHANNELS)]
    loo = az.loo(idata)
    assert loo.n_data_points == 60
    assert np.isfinite(loo.elpd)
    assert list(az.compare({"one": loo, "other": loo})["elpd_diff"]) == [0.0, 0.0]
    for drawn in (
        az.plot_trace(idata, var_names=["intercept"]),
        az.plot_autocorr(idata, var_names=["intercept"]),
        az.plot_ppc_dist(idata, num_samples=10),
    ):
        assert drawn.get_viz("figure") is not None
    plt.close("all")


def test_priors_can_be_drawn_before_a_fit() -> None:
    """As many draws as asked for, the same from the same seed, in the same form as after a fit."""
    tree = shop_model().sample_prior_predictive(draws=50, seed=3)
    assert set(tree.children) == {"prior", "prior_predictive", "observed_data", "constant_data"}
    drawn = tree["prior_predictive"]["y"]
    assert drawn.dims == ("chain", "draw", "date")
    assert drawn.shape == (1, 50, 60)
    again = shop_model().sample_prior_predictive(draws=50, seed=3)
    assert np.array_equal(drawn, again["prior_predictive"]["y"])
    with pytest.raises(DataError, match="1 or more"):
        shop_model().sample_prior_predictive(draws=0)


def test_own_priors_are_the_ones_drawn_from() -> None:
    """A narrow prior of the intercept gives narrow draws of it."""
    model = shop_model(priors={"intercept": {"distribution": "HalfNormal", "sigma": 0.001}})
    drawn = model.sample_prior_predictive(draws=50)["prior"]["intercept"]
    assert 0.0 < float(drawn.max()) < 0.01


def test_results_are_tidy_frames(fitted_model: PymcModel) -> None:
    """Contributions of a week sum to its expected sales; shares of an effect sum to 1; each call hands out a copy."""
    contributions = fitted_model.contributions()
    expected = fitted_model._fitted("this").prediction.mean_draws.mean(axis=0)
    assert contributions.groupby("date")["mean"].sum().to_numpy() == pytest.approx(expected)
    assert list(contributions["component"].unique()) == ["baseline", *CHANNELS, *CONTROLS]
    returns = fitted_model.returns()
    assert set(returns["metric"]) == {"contribution", "share", "roas", "mroas"}
    carried = fitted_model.adstock().groupby("channel")["mean"].sum()
    assert carried.to_numpy() == pytest.approx([1.0, 1.0, 1.0])
    curves = fitted_model.response_curves()
    assert list(curves["channel"].unique()) == CHANNELS
    for frame, again in ((returns, fitted_model.returns), (curves, fitted_model.response_curves)):
        frame.loc[:, "mean"] = 0.0
        assert again()["mean"].abs().max() > 0.0


def test_results_need_a_fit() -> None:
    """Each says that fit() comes first."""
    model = shop_model()
    calls = (
        lambda: model.idata,
        model.contributions,
        model.returns,
        model.response_curves,
        model.adstock,
    )
    for call in calls:
        with pytest.raises(FitError, match=r"call fit\(\) first"):
            call()


def test_a_notebook_shows_what_the_model_is_and_what_channels_bring(fitted_model: PymcModel) -> None:
    """Its words as text; after a fit one row per channel and kind of return."""
    assert "not fitted&gt;" in shop_model()._repr_html_()
    shown = fitted_model._repr_html_()
    assert shown.startswith("<p>&lt;PymcModel")
    assert shown.count("<tr") == 1 + 3 * len(CHANNELS)


def test_figures_are_methods_that_list_themselves(fitted_model: PymcModel) -> None:
    """Those of the report, from one source; a wrong name gets the nearest; nothing is drawn before it is asked for."""
    names = dir(fitted_model.plot)
    assert {"contribution_waterfall", "response_curves", "roas_intervals", "rank_plots"} <= set(names)
    assert set(names) <= set(FIGURES)
    assert fitted_model.plot is fitted_model.plot
    figure = fitted_model.plot.response_curves()
    assert len(figure.data) > 0
    assert fitted_model.plot.response_curves() is figure
    listed = repr(fitted_model.plot)
    assert all(name in listed for name in names)
    assert "<td><code>response_curves</code></td>" in fitted_model.plot._repr_html_()
    with pytest.raises(AttributeError, match="no figure 'response_curve'; did you mean 'response_curves'"):
        fitted_model.plot.response_curve()
    with pytest.raises(FitError, match="plot"):
        shop_model().plot  # noqa: B018


def test_figures_of_a_fleet_list_their_names(fitted_holdout: FleetResult) -> None:
    """A mapping: names for loops and completion, titles where it is shown, the nearest name in place of a wrong one."""
    figures = fitted_holdout.figures
    assert "holdout_forecasts" in list(figures)
    assert figures._ipython_key_completions_() == list(figures)
    assert "holdout_forecasts" in repr(figures)
    assert figures.titles["holdout_forecasts"] in figures._repr_html_()
    with pytest.raises(KeyError, match="did you mean 'holdout_forecasts'"):
        figures["holdout_forecast"]


def test_the_draws_mean_the_same_in_pymc_marketing(fitted_model: PymcModel) -> None:
    """There and back: its model turns our draws into the means and contributions that this one reports."""
    import pymc as pm

    mmm = fitted_model.build_pymc_mmm()
    mmm.build_model(*training_frame(fitted_model.inputs))
    few = fitted_model.idata["posterior"].to_dataset().isel(draw=slice(0, 3))
    theirs = (
        pm.compute_deterministics(
            few.rename({"intercept": INTERCEPT_NAMES[False]}),
            model=mmm.model,
            var_names=["mu", "channel_contribution"],
            merge_dataset=False,
            progressbar=False,
        )
        * fitted_model.inputs.scales.target
    )
    fit = fitted_model._fitted("test")
    expected = fit.prediction.mean_draws.reshape(2, -1, 60)[:, :3]
    assert theirs["mu"].transpose("chain", "draw", "date").to_numpy() == pytest.approx(expected, rel=1e-9)
    media = contributions(fit).sel(component=CHANNELS).to_numpy().reshape(2, -1, 60, 3)[:, :3]
    assert theirs["channel_contribution"].transpose("chain", "draw", "date", "channel").to_numpy() == (
        pytest.approx(media, rel=1e-9, abs=1e-9)
    )
