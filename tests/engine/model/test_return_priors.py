"""Priors on returns: the scales of curves have the density that the prior says, whatever adstock and saturation are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmm_engine.array_types import Floats
from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.return_priors import SPREAD, SPREAD_DF, UNPAID_SPREAD
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.errors import ConfigError
from mmm_engine.model.arrays import ModelData, first_rows, model_data
from mmm_engine.model.mean import channel_scales, mean_terms
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS
from mmm_engine.model.parameters import Role
from mmm_engine.model.prior_draws import draw_parameters
from mmm_engine.model.return_priors import log_return_prior
from mmm_engine.model.specification import ModelSpecification, model_specification
from mmm_engine.posterior.coordinate_choice import plain_coordinates
from mmm_engine.posterior.fit import fit
from mmm_engine.posterior.geometry import training_data
from mmm_engine.posterior.log_density import log_density
from mmm_engine.rows.window import ScaledInputs, Scales
from tests.engine.model_cases import small_inputs

XP = numpy_functions()
WITH_SCALE = [kind for kind, saturation in SATURATIONS.items() if saturation.scale is not None]


def _drawn(
    inputs: ScaledInputs, draws: int = 4000
) -> tuple[ModelSpecification, ModelData, dict[str, Floats]]:
    """The model, its training rows, and parameters drawn from the prior."""
    specification = model_specification(inputs.config, inputs.calendar.period)
    train = first_rows(model_data(inputs, specification), inputs.train_rows)
    return specification, train, draw_parameters(specification, train, draws, np.random.default_rng(3))


def _contributions(inputs: ScaledInputs, draws: int = 4000) -> Floats:
    """Sums of the channels' contributions over the training rows, original units, shape (draw, channel)."""
    specification, train, values = _drawn(inputs, draws)
    return np.asarray(mean_terms(values, train, specification, XP).media.sum(axis=1)) * inputs.scales.target


def _spend(inputs: ScaledInputs) -> Floats:
    return inputs.spend[: inputs.train_rows].sum(axis=0)


def _target(inputs: ScaledInputs) -> float:
    return float(inputs.target[: inputs.train_rows].sum())


@pytest.mark.parametrize("saturation", WITH_SCALE)
@pytest.mark.parametrize("adstock", ADSTOCKS)
def test_prior_draws_have_the_return_of_the_prior(adstock: str, saturation: str) -> None:
    """Log-normal, median 2, sd of the logarithm 0.5, for every adstock and saturation (case R2)."""
    inputs = small_inputs(
        adstock={"kind": adstock, "max_lag": 3},
        saturation=saturation,
        returns={"prior": "roas", "median": 2.0, "level_sigma": 0.0, "channel_sigma": 0.5},
    )
    logs = np.log(_contributions(inputs, 2000) / _spend(inputs))
    assert logs.mean(axis=0) == pytest.approx(np.log(2.0), abs=0.05)
    assert logs.std(axis=0) == pytest.approx(0.5, rel=0.08)
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(0.0, abs=0.08)


@pytest.mark.parametrize("returns", [
    {"prior": "roas", "level_sigma": 1.2, "channel_sigma": 0.6},
    {"prior": "mroas", "median": 1.0, "level_sigma": 0.5, "channel_sigma": 0.7},
    {"prior": "cost_per_conversion", "median": 40.0, "channel_sigma": 0.7},
])  # fmt: skip
@pytest.mark.parametrize("terms", [{}, {"time_varying_media": True}, {"saturation": "hill"}])
def test_density_is_that_of_the_return_times_the_jacobian(
    returns: dict[str, Any], terms: dict[str, Any]
) -> None:
    """Equations (1) to (3) and (5): a normal with a common part, over the product of the scales, at every draw."""
    inputs = small_inputs(returns=returns, **terms)
    specification, train, values = _drawn(inputs, 40)
    config = inputs.config.model.returns
    assert config is not None
    media = mean_terms(values, train, specification, XP).media.sum(axis=1)
    if returns["prior"] == "mroas":
        more = replace(train, media_lagged=train.media_lagged * 1.01)
        media = (mean_terms(values, more, specification, XP).media.sum(axis=1) - media) / 0.01
    deviation = np.log(media / train.return_expected)
    channels = deviation.shape[1]
    covariance = config.channel_sigma**2 * np.eye(channels) + config.level_sigma**2
    wanted = stats.multivariate_normal(np.zeros(channels), covariance).logpdf(deviation)
    wanted = wanted - np.log(channel_scales(values, specification, XP)).sum(axis=1)
    ours = np.array([
        log_return_prior(one, train, specification, mean_terms(one, train, specification, XP), XP)
        for one in ({name: value[at] for name, value in values.items()} for at in range(40))
    ])  # fmt: skip
    assert ours - ours[0] == pytest.approx(wanted - wanted[0], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "returns", [{}, {"prior": "total_media_share", "median": 0.3}, {"prior": "roas", "level_sigma": 0.0}]
)
def test_an_unknown_spread_is_that_of_all_spreads_by_their_probability(returns: dict[str, Any]) -> None:
    """Equation (4) and the split of (5): deviations from the mean, normal, integrated over s^2 = v s0^2 / chi^2(v)."""
    inputs = small_inputs(returns=returns)
    specification, train, values = _drawn(inputs, 12)
    media = mean_terms(values, train, specification, XP).media.sum(axis=1)
    deviation = np.log(media / train.return_expected)
    count = deviation.shape[1]
    mean = deviation.mean(axis=1)
    apart = ((deviation - mean[:, None]) ** 2).sum(axis=1)
    precisions = (np.arange(20_000) + 0.5) / 20_000
    variances = SPREAD_DF * SPREAD**2 / stats.chi2(SPREAD_DF).ppf(precisions)
    densities = variances ** (-(count - 1) / 2) * np.exp(-0.5 * apart[:, None] / variances)
    wanted = np.log(densities.mean(axis=1)) - np.log(channel_scales(values, specification, XP)).sum(axis=1)
    level = float(train.level_sigma)
    if returns.get("prior") == "total_media_share":
        total = media.sum(axis=1) / train.return_expected.sum()
        wanted += stats.norm(0.0, level).logpdf(np.log(total))
    else:
        wanted += stats.norm(0.0, np.sqrt(level**2 + SPREAD**2 / count)).logpdf(mean)
    ours = np.array([
        log_return_prior(one, train, specification, mean_terms(one, train, specification, XP), XP)
        for one in ({name: value[at] for name, value in values.items()} for at in range(12))
    ])  # fmt: skip
    assert ours - ours[0] == pytest.approx(wanted - wanted[0], abs=2e-3)


def test_draws_of_an_unknown_spread_lie_as_far_apart_as_it_says() -> None:
    """Squared deviations from the mean over s0^2 are F(n - 1, v): the ratio of two chi-squared variables."""
    inputs = small_inputs(returns={})
    logs = np.log(_contributions(inputs, 4000) / _spend(inputs))
    count = logs.shape[1]
    apart = logs.var(axis=1, ddof=1) / SPREAD**2
    assert stats.kstest(apart, stats.f(count - 1, SPREAD_DF).cdf).pvalue > 1e-3
    level = inputs.config.model.returns.level_sigma
    assert logs.mean(axis=1).std() == pytest.approx(np.sqrt(level**2 + SPREAD**2 / count), rel=0.05)


@pytest.mark.parametrize("prior", ["roas", "mroas"])
@pytest.mark.parametrize("saturation", WITH_SCALE)
@pytest.mark.parametrize("adstock", ADSTOCKS)
def test_density_over_a_scale_is_that_of_its_return(adstock: str, saturation: str, prior: str) -> None:
    """For every adstock and saturation: moving one scale moves the density as the log-normal of its return (case R2).

    The density of a scale b is that of log(return) times d log(return) / db, taken here by differences.
    """
    median, sigma = 2.0, 0.5
    inputs = small_inputs(
        adstock={"kind": adstock, "max_lag": 3},
        saturation=saturation,
        returns={"prior": prior, "median": median, "level_sigma": 0.0, "channel_sigma": sigma},
    )
    specification, train, drawn = _drawn(inputs, 1)
    name = specification.with_role(Role.SATURATION_SCALE)[0].name

    def at(factor: float) -> tuple[float, float, float]:
        """Scale, log return and log density, the first channel's scale times a factor."""
        values = {key: value[0].copy() for key, value in drawn.items()}
        values[name][0] *= factor
        terms = mean_terms(values, train, specification, XP)
        brought = np.asarray(terms.media)[:, 0].sum()
        if prior == "mroas":
            more = replace(train, media_lagged=train.media_lagged * 1.01)
            brought = (
                np.asarray(mean_terms(values, more, specification, XP).media)[:, 0].sum() - brought
            ) / 0.01
        log_return = np.log(brought * inputs.scales.target / _spend(inputs)[0])
        return (
            values[name][0],
            log_return,
            float(np.asarray(log_return_prior(values, train, specification, terms, XP))),
        )

    def wanted(factor: float) -> float:
        _, log_return, _ = at(factor)
        above, below = at(factor * 1.0001), at(factor * 0.9999)
        slope = (above[1] - below[1]) / (above[0] - below[0])
        return float(stats.norm.logpdf(log_return, np.log(median), sigma) + np.log(slope))

    assert at(3.0)[2] - at(0.4)[2] == pytest.approx(wanted(3.0) - wanted(0.4), abs=1e-5)


@pytest.mark.parametrize(
    ("adstock", "saturation", "prior"),
    [
        ("geometric", "hill", "roas"),
        ("delayed", "logistic", "roas"),
        ("geometric", "michaelis_menten", "mroas"),
    ],
)
def test_fit_without_likelihood_returns_the_prior(adstock: str, saturation: str, prior: str) -> None:
    """With noise of a million the data say nothing: the return has the prior's median and 90% range (case R2)."""
    likelihood = {"distribution": "Normal", "sigma": 1e6}
    inputs = small_inputs(
        adstock={"kind": adstock, "max_lag": 3},
        saturation=saturation,
        returns={"prior": prior, "low": 0.5, "high": 4.0, "channel_sigma": 0.3},
        priors={"likelihood": likelihood},
        sampler={"draws": 800, "tune": 400, "chains": 2, "seed": 3, "ess_target": None},
    )
    fitted = fit(inputs)
    data = fitted.training_arrays
    media = mean_terms(fitted.draws, data, fitted.specification, XP).media.sum(axis=1)
    if prior == "mroas":
        more = replace(data, media_lagged=data.media_lagged * 1.01)
        media = (mean_terms(fitted.draws, more, fitted.specification, XP).media.sum(axis=1) - media) / 0.01
    logs = np.log(np.asarray(media) * inputs.scales.target / _spend(inputs))
    spread = np.log(4.0 / 0.5) / (2 * 1.6448536)
    assert logs.mean(axis=0) == pytest.approx(np.log(np.sqrt(2.0)), abs=0.08)
    assert logs.std(axis=0) == pytest.approx(np.sqrt(spread**2 + 0.3**2), rel=0.08)


def test_a_straight_line_has_the_conjugate_posterior() -> None:
    """Spend 0, 10, 20, 30 and sales 5, 9, 16, 20, noise 2, a free level: slope 0.534884, sd 0.088045 (case R1).

    The prior is normal with mean 1 and sd 0.5; what lies below 0 is cut off, six deviations away. Given the slope the
    level is normal with the same spread everywhere: the density along the best levels is that of the slope.
    """
    plain = small_inputs(
        rows=4, held_out=0, channels=["tv"], controls=[], adstock={"kind": "none"}, saturation="none",
        priors={
            "saturation_beta": {"distribution": "TruncatedNormal", "mu": 1, "sigma": 0.5, "lower": 0},
            "intercept": {"distribution": "Normal", "mu": 0, "sigma": 1e6},
            "likelihood": {"distribution": "Normal", "sigma": 2.0},
        },
    )  # fmt: skip
    spend, sales = np.array([0.0, 10.0, 20.0, 30.0]), np.array([5.0, 9.0, 16.0, 20.0])
    inputs = replace(
        plain, scales=Scales(1.0, {"tv": 1.0}, {}), media_scaled=spend[:, None], spend=spend[:, None],
        target_scaled=sales,
    )  # fmt: skip
    specification = model_specification(inputs.config, inputs.calendar.period)
    coordinates, data = plain_coordinates(specification), training_data(inputs, specification)
    slot = {one.part.name: one.start for one in coordinates.slots}
    slopes = np.linspace(0.05, 1.1, 400)
    density = np.empty(len(slopes))
    for at, slope in enumerate(slopes):
        point = np.empty(2)
        point[slot["intercept"]] = (sales - slope * spend).mean()
        point[slot["saturation_beta"]] = np.log(slope)  # whose Jacobian is the slope
        density[at] = float(np.asarray(log_density(coordinates, point, data, XP))) - np.log(slope)
    weight = np.exp(density - density.max())
    weight /= weight.sum()
    mean = float(weight @ slopes)
    assert mean == pytest.approx(0.534884, abs=1e-5)
    assert np.sqrt(weight @ (slopes - mean) ** 2) == pytest.approx(0.088045, abs=1e-5)


def test_without_a_median_all_media_bring_a_tenth() -> None:
    """The level is centred where spend times it is 10% of the target, the same for each channel."""
    inputs = small_inputs(returns={"level_sigma": 0.0, "channel_sigma": 1e-3})
    contributions = _contributions(inputs, 20)
    assert contributions.sum(axis=1) == pytest.approx(0.1 * _target(inputs), rel=5e-3)
    assert contributions / _spend(inputs) == pytest.approx(
        0.1 * _target(inputs) / _spend(inputs).sum(), rel=5e-3
    )


def test_a_prior_on_the_total_has_it_whatever_the_channels() -> None:
    """Log-normal total share: median 0.3, sd 0.4; the split follows spend."""
    inputs = small_inputs(
        returns={"prior": "total_media_share", "median": 0.3, "level_sigma": 0.4, "channel_sigma": 0.8}
    )
    contributions = _contributions(inputs, 2000)
    total = np.log(contributions.sum(axis=1) / _target(inputs))
    assert total.mean() == pytest.approx(np.log(0.3), abs=0.04)
    assert total.std() == pytest.approx(0.4, rel=0.08)


def test_a_channel_s_own_prior_leaves_the_others_theirs() -> None:
    """A share of 4% for one channel; the others keep their level (case R3)."""
    returns = {"prior": "roas", "median": 1.5, "level_sigma": 0.0, "channel_sigma": 0.4}
    plain = small_inputs(returns=returns)
    channels = [{"column": name} for name in plain.config.channel_names]
    channels[1]["returns"] = {"prior": "contribution_share", "median": 0.04, "sigma": 0.2}
    inputs = small_inputs(returns=returns, channels=channels)
    contributions = _contributions(inputs, 2000)
    logs = np.log(contributions / _spend(inputs))
    assert logs[:, [0, 2]].mean(axis=0) == pytest.approx(np.log(1.5), abs=0.04)
    assert logs[:, [0, 2]].std(axis=0) == pytest.approx(0.4, rel=0.08)
    shares = np.log(contributions[:, 1] / _target(inputs))
    assert shares.mean() == pytest.approx(np.log(0.04), abs=0.02)
    assert shares.std() == pytest.approx(0.2, rel=0.08)


def test_a_written_prior_of_a_scale_stands() -> None:
    """Where a client writes a prior of the scale, no return is laid over it."""
    beta = {"distribution": "HalfNormal", "sigma": 0.5}
    inputs = small_inputs(returns={}, priors={"saturation_alpha": beta})
    assert model_specification(inputs.config, inputs.calendar.period).returns is None


@pytest.mark.parametrize(("model", "found"), [
    ({"saturation": "tanh", "returns": {}}, "the curve 'tanh', which has no scale"),
    ({"preset": "toolkit"}, "a model without priors on returns"),
    ({"returns": {}, "priors": {"saturation_alpha": {"distribution": "HalfNormal", "sigma": 1}}},
     "a prior of the curve's scale"),
])  # fmt: skip
def test_a_return_that_nothing_would_follow_is_refused(model: dict[str, Any], found: str) -> None:
    """A channel's own return is never passed over in silence."""
    channels = ["tv", {"column": "radio", "returns": {"median": 2}}]
    with pytest.raises(ConfigError, match=found) as refused:
        model_specification(small_inputs(channels=channels, **model).config, "week")
    assert [fault.where for fault in refused.value.faults] == ["channels.radio.returns"]


def test_a_curve_without_a_scale_keeps_the_priors_of_its_parameters() -> None:
    """No return is laid over tanh: its `b` keeps its half-normal prior, and other channels have theirs."""
    channels = ["tv", {"column": "radio", "saturation": "tanh"}]
    specification = model_specification(small_inputs(channels=channels, returns={}).config, "week")
    assert str(specification.parameter("saturation_tanh_b").parts[0].prior) == "HalfNormal(sigma=1)"
    assert specification.returns is not None
    assert specification.returns.channels == (0,)
    assert model_specification(small_inputs(saturation="tanh", returns={}).config, "week").returns is None


@given(scale=st.floats(0.1, 3.0), half=st.floats(0.1, 3.0))
@settings(max_examples=20, deadline=None)
def test_the_inverse_scaled_logistic_is_tanh_with_a_scale(scale: float, half: float) -> None:
    """Half of the scale at the half-saturation point, which tanh has where x / (b c) is log(3) / 2."""
    media = np.linspace(0.0, 4.0, 9)[:, None]
    with_scale = SATURATIONS["inverse_scaled_logistic"].shape(media, {"lam": np.array([half])}, XP)
    c = 2.0 * half / (np.log(3.0) * scale)
    tanh = SATURATIONS["tanh"].shape(media, {"b": np.array([scale]), "c": np.array([c])}, XP)
    assert np.asarray(tanh) == pytest.approx(scale * np.asarray(with_scale), rel=1e-12)


@pytest.mark.parametrize("prior", ["roas", "mroas"])
def test_currency_and_scale_change_no_return(prior: str) -> None:
    """Spend and target in another currency, or the target over its mean: draws of returns are the same (case R4)."""
    inputs = small_inputs(returns={"prior": prior, "median": 2.0})
    times = 1000.0
    dearer = replace(
        inputs, scales=replace(inputs.scales, target=inputs.scales.target * times), spend=inputs.spend * times
    )
    by_mean = replace(
        inputs,
        scales=replace(inputs.scales, target=inputs.scales.target * 0.6),
        target_scaled=inputs.target_scaled / 0.6,
    )
    roas = _contributions(inputs, 50) / _spend(inputs)
    assert _contributions(dearer, 50) / _spend(dearer) == pytest.approx(roas, rel=1e-9)
    assert _contributions(by_mean, 50) / _spend(by_mean) == pytest.approx(roas, rel=1e-9)


@pytest.mark.parametrize(
    ("returns", "keeps"),
    [
        ({"prior": "total_media_share", "median": 0.3, "level_sigma": 0.4}, True),
        ({"prior": "roas", "median": 1.0, "level_sigma": 0.0, "channel_sigma": 0.7}, False),
    ],
)
def test_a_channel_in_two_halves_keeps_the_total_under_a_prior_on_the_total(
    returns: dict[str, Any], keeps: bool
) -> None:
    """Two channels with half of the spend each: the prior of all media is the same under a total share only (case R5).

    Under priors on returns the sum of two halves wanders less than the whole: their deviations are independent.
    """
    whole = small_inputs(channels=["tv", "radio"], returns=returns)
    halved = small_inputs(channels=["tv", "tv_2", "radio"], returns=returns)
    media = np.column_stack([whole.media_scaled[:, 0], whole.media_scaled[:, 0], whole.media_scaled[:, 1]])
    halves = np.column_stack([0.5 * whole.spend[:, 0], 0.5 * whole.spend[:, 0], whole.spend[:, 1]])
    halved = replace(halved, media_scaled=media, spend=halves, target_scaled=whole.target_scaled)
    spreads, medians = zip(*[
        (float(logs.std()), float(np.exp(np.median(logs))))
        for logs in (np.log(_contributions(inputs).sum(axis=1)) for inputs in (whole, halved))
    ], strict=True)  # fmt: skip
    if keeps:
        assert spreads == pytest.approx([0.4, 0.4], rel=0.06)
        assert medians[1] == pytest.approx(medians[0], rel=0.03)
    else:
        assert spreads[1] < 0.88 * spreads[0]


def test_a_channel_without_media_keeps_a_proper_prior() -> None:
    """Nothing is summed where nothing ran: its scale itself is log-normal."""
    inputs = small_inputs(returns={"level_sigma": 0.0, "channel_sigma": 0.5})
    media = inputs.media_scaled.copy()
    media[: inputs.train_rows, 0] = 0.0
    _, _, values = _drawn(replace(inputs, media_scaled=media))
    logs = np.log(values["saturation_alpha"][:, 0])
    assert logs.mean() == pytest.approx(0.0, abs=0.04)
    assert logs.std() == pytest.approx(0.5, rel=0.08)


@pytest.mark.parametrize(("returns", "message"), [
    ({"prior": "roas", "low": 3, "high": 1}, "a number above low"),
    ({"prior": "roas", "low": 1}, "write low and high together"),
    ({"prior": "roas", "low": 1, "high": 2, "median": 1}, "one of the two forms"),
    ({"prior": "rois"}, "roas"),
    ({"prior": "roas", "median": -1}, "greater than 0"),
    ({"prior": "total_media_share", "level_sigma": 0.0}, "above 0"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(returns: dict[str, Any], message: str) -> None:
    """One error that says what is wanted."""
    with pytest.raises(ConfigError, match=message):
        client_config_from_mapping({
            "client": "acme", "data": "a.csv", "date": "week", "target": "sales", "channels": ["tv"],
            "model": {"returns": returns},
        })  # fmt: skip


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ({}, [1 / 60, 1 / 20, 1 / 30]),
        ({"prior": "roas", "median": 2.0}, [0.2, 0.6, 1 / 30]),
        ({"prior": "cost_per_conversion", "median": 4.0}, [0.025, 0.075, 1 / 30]),
        ({"prior": "total_media_share", "median": 0.6}, [0.1, 0.3, 0.2]),
    ],
)
def test_a_channel_without_costs_has_an_equal_part(returns: dict[str, Any], expected: list[float]) -> None:
    """By hand: costs of 0.1, 0.3 and 0 times the target; a tenth of it is a thirtieth for each of three channels."""
    inputs = small_inputs(returns=returns)
    total = _target(inputs)
    spend = np.zeros_like(inputs.spend)
    spend[0, :2] = 0.1 * total, 0.3 * total
    inputs = replace(inputs, spend=spend)
    arrays = model_data(inputs, model_specification(inputs.config, inputs.calendar.period))
    assert arrays.return_expected == pytest.approx(np.array(expected) * total / inputs.scales.target)


def test_low_above_high_is_one_fault() -> None:
    """An end is not asked for again because the other one was wrong."""
    with pytest.raises(ConfigError) as error:
        client_config_from_mapping({
            "client": "acme", "data": "a.csv", "date": "week", "target": "sales", "channels": ["tv"],
            "model": {"returns": {"low": 4, "high": 0.5}},
        })  # fmt: skip
    assert len(error.value.faults) == 1
    assert "'model.returns': found 'high' 0.5 and 'low' 4; wanted for 'high' a number above low (4)" in str(
        error.value
    )


def _with_an_unpaid_channel(returns: dict[str, Any]) -> ScaledInputs:
    """The second of three channels is counted in views, and no money buys them."""
    channels: list[dict[str, Any]] = [{"column": name} for name in small_inputs().config.channel_names]
    channels[1]["unit"] = "views"
    return small_inputs(returns=returns, channels=channels)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ({}, [1 / 60, 1 / 30, 1 / 20]),
        ({"prior": "roas", "median": 2.0}, [0.2, 1 / 30, 0.6]),
        ({"prior": "total_media_share", "median": 0.6}, [0.1, 0.2, 0.3]),
    ],
)
@pytest.mark.parametrize("views", [0.001, 1.0, 1e6])
def test_views_that_no_money_buys_are_no_spend(
    returns: dict[str, Any], expected: list[float], views: float
) -> None:
    """By hand: costs of 0.1 and 0.3 times the target. How many views there were says nothing of anybody's money."""
    inputs = _with_an_unpaid_channel(returns)
    total = _target(inputs)
    spend = np.zeros_like(inputs.spend)
    spend[0] = 0.1 * total, views * total, 0.3 * total
    inputs = replace(inputs, spend=spend)
    arrays = model_data(inputs, model_specification(inputs.config, inputs.calendar.period))
    assert arrays.return_expected == pytest.approx(np.array(expected) * total / inputs.scales.target)


@pytest.mark.parametrize("returns", [{}, {"prior": "roas", "median": 1.5, "channel_sigma": 0.4}])
def test_an_unpaid_channel_lies_around_the_paid_ones(returns: dict[str, Any]) -> None:
    """Draws: log contribution over the expected one, less the paid ones' mean, is Normal(0, 1.2), whatever they are."""
    inputs = _with_an_unpaid_channel(returns)
    specification, train, values = _drawn(inputs)
    logs = np.log(mean_terms(values, train, specification, XP).media.sum(axis=1) / train.return_expected)
    paid = logs[:, [0, 2]].mean(axis=1)
    apart = logs[:, 1] - paid
    assert stats.kstest(apart, stats.norm(0.0, UNPAID_SPREAD).cdf).pvalue > 1e-3
    assert np.corrcoef(apart, paid)[0, 1] == pytest.approx(0.0, abs=0.06)


def test_density_of_an_unpaid_channel_is_that_of_its_draws() -> None:
    """Equation (4b) beside (4) for the paid ones, over the scales."""
    inputs = _with_an_unpaid_channel({})
    specification, train, values = _drawn(inputs, 12)
    assert specification.returns is not None
    assert (specification.returns.shared, specification.returns.unpaid) == ((0, 2), (1,))
    logs = np.log(mean_terms(values, train, specification, XP).media.sum(axis=1) / train.return_expected)
    mean = logs[:, [0, 2]].mean(axis=1)
    apart = ((logs[:, [0, 2]] - mean[:, None]) ** 2).sum(axis=1)
    wanted = (
        stats.norm(0.0, np.sqrt(float(train.level_sigma) ** 2 + SPREAD**2 / 2)).logpdf(mean)
        - 0.5 * (SPREAD_DF + 1) * np.log1p(apart / (SPREAD_DF * SPREAD**2))
        + stats.norm(mean, UNPAID_SPREAD).logpdf(logs[:, 1])
        - np.log(channel_scales(values, specification, XP)).sum(axis=1)
    )
    ours = np.array([
        log_return_prior(one, train, specification, mean_terms(one, train, specification, XP), XP)
        for one in ({name: value[at] for name, value in values.items()} for at in range(12))
    ])  # fmt: skip
    assert ours - ours[0] == pytest.approx(wanted - wanted[0], abs=1e-9)


def test_channels_that_no_money_buys_share_a_level_where_there_are_no_others() -> None:
    """Nothing lies around nothing: equal parts, and the spread of any channels."""
    channels = [{"column": name, "unit": "views"} for name in small_inputs().config.channel_names]
    inputs = small_inputs(returns={}, channels=channels)
    specification = model_specification(inputs.config, inputs.calendar.period)
    assert specification.returns is not None
    assert (specification.returns.shared, specification.returns.unpaid) == ((0, 1, 2), ())
    expected = np.asarray(model_data(inputs, specification).return_expected)
    assert expected == pytest.approx(_target(inputs) / 30 / inputs.scales.target)
