"""The same model as pymc-marketing builds it: for users who go on by hand, for tests and for the benchmark.

Here: the only place that knows pymc-marketing's `MMM` constructor.
Not here: anything the platform fits with (posterior/log_density.py has its own, faster, graph of the same density).
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mmm_engine.array_types import Floats
from mmm_engine.errors import ConfigError, Fault
from mmm_engine.model.calendar_terms import event_occurrences, holiday_shares, weekday_contrasts
from mmm_engine.model.lift_arrays import KnownLiftTest, known_lift_tests, media_paths, years_since
from mmm_engine.model.parameters import SATURATION_ROLES, ParameterSpec, Role
from mmm_engine.model.priors import FROM_RETURN, PriorSpec
from mmm_engine.model.pymc_half_life import HalfLifePrior
from mmm_engine.model.specification import (
    INTERCEPT_PROCESS,
    MEDIA_PROCESS,
    ModelSpecification,
    model_specification,
)
from mmm_engine.model.terms import WEEKDAY_CONTRASTS, TimeProcess
from mmm_engine.rows.calendar import Calendar
from mmm_engine.rows.window import ScaledInputs

logger = logging.getLogger("mmm_engine.model")

# our parameter name -> pymc-marketing's, where they differ
INTERCEPT_NAMES = {False: "intercept_contribution", True: "intercept_baseline"}

_ADSTOCKS = {
    "geometric": "GeometricAdstock",
    "delayed": "DelayedAdstock",
    "binomial": "BinomialAdstock",
    "weibull_pdf": "WeibullPDFAdstock",
    "weibull_cdf": "WeibullCDFAdstock",
    "none": "NoAdstock",
}
SATURATION_CLASSES = {
    "michaelis_menten": "MichaelisMentenSaturation",
    "logistic": "LogisticSaturation",
    "inverse_scaled_logistic": "InverseScaledLogisticSaturation",
    "hill": "HillSaturation",
    "hill_sigmoid": "HillSaturationSigmoid",
    "tanh": "TanhSaturation",
    "root": "RootSaturation",
    "log": "LogSaturation",
    "none": "NoSaturation",
}


def build_pymc_mmm(inputs: ScaledInputs) -> Any:
    """An unfitted pymc-marketing `MMM` with the client's terms, priors and scales.

    Args:
        inputs: The window whose training rows give the scales and the length of the time-varying basis.

    Raises:
        ConfigError: If the client's model has no equal there (channels with different transformations, controls with
            different priors, events that come again).
    """
    from pymc_marketing.mmm import MMM
    from pymc_marketing.mmm import components as parts
    from pymc_marketing.mmm.scaling import FixedScaling, Scaling

    config, specification = inputs.config, model_specification(inputs.config, inputs.calendar.period)
    _refuse_mixed(inputs, specification)
    adstock, saturation = specification.adstocks[0], specification.saturations[0]
    priors = model_priors(specification, inputs.train_rows)
    beside = specification.with_role(*_OUTSIDE, Role.HOLIDAY)
    outside = {part.name for spec in beside for part in spec.parts}
    mmm = MMM(
        date_column="date",
        channel_columns=list(config.channel_names),
        control_columns=list(config.control_names) or None,
        target_column=config.target.column,
        adstock=getattr(parts.adstock, _ADSTOCKS[adstock.kind])(l_max=adstock.max_lag),
        saturation=getattr(parts.saturation, SATURATION_CLASSES[saturation.kind])(),
        time_varying_media=specification.media_process is not None,
        time_varying_intercept=specification.intercept_process is not None,
        yearly_seasonality=specification.fourier_order or None,
        model_config={name: prior for name, prior in priors.items() if name not in outside},
        scaling=Scaling(
            target=FixedScaling(dims=(), value=inputs.scales.target),
            channel=FixedScaling(dims=(), value=dict(inputs.scales.media)),
        ),
    )
    mmm.mu_effects.extend(_trend_and_events(inputs, priors))
    return mmm


def build_with_lift_tests(inputs: ScaledInputs) -> Any:
    """An unfitted `MMM` whose likelihood has the client's lift tests, and a warning for each that it cannot have.

    With lift tests the model is built on the training rows, because its likelihood can only then be added to; `fit` on
    these rows keeps them.

    Raises:
        ConfigError: If the client's model has no equal there.
    """
    mmm = build_pymc_mmm(inputs)
    if not inputs.config.lift_tests:
        return mmm
    mmm.build_model(*training_frame(inputs))
    add_lift_tests(mmm, inputs)
    numbers = {known.number for known in known_lift_tests(inputs)}
    for number, test in enumerate(inputs.config.lift_tests):
        if number not in numbers:
            logger.warning(
                "Lift test %d of '%s' (%s) is not part of the MMM: not all of its rows are training rows.",
                number + 1,
                test.channel,
                test.date,
            )
    return mmm


def add_lift_tests(mmm: Any, inputs: ScaledInputs) -> None:
    """Adds the lift tests of the training rows to the likelihood of a built `MMM`.

    `MMM.add_lift_test_measurements` knows no carry-over and a single period. Here both passes of the forward model run
    over all training rows, by the transformations of the `MMM` itself; (1) and (2) of lift_tests.py.

    Args:
        mmm: Output of `build_pymc_mmm` after `build_model`.
        inputs: The same window.
    """
    import pymc as pm

    with mmm.model:
        for known in known_lift_tests(inputs):
            test, scale = known.test, inputs.scales.target
            effect = _lift_effect(mmm, inputs, known)
            variation = test.heterogeneity**2 + test.ageing**2 * years_since(inputs, known.window)
            pm.Normal(
                f"lift_test_{known.number + 1}",
                mu=effect,
                sigma=pm.math.sqrt((test.sigma / scale) ** 2 + variation * effect**2),
                observed=test.delta_y / scale,
            )


def _lift_effect(mmm: Any, inputs: ScaledInputs, known: KnownLiftTest) -> Any:
    """(1) of lift_tests.py as a scalar of the graph, model space."""
    from pytensor.xtensor import as_xtensor

    channel, window = inputs.config.channel_names.index(known.test.channel), known.window
    of_rows = 1.0
    if inputs.config.model.time_varying_media:
        of_rows = mmm.model[MEDIA_PROCESS].values[window.start : window.stop]
    responses = []
    for path in media_paths(inputs, known):
        media = as_xtensor(path[: inputs.train_rows], dims=("date",))
        carried = mmm.adstock.function(media, dim="date", **_of_channel(mmm, mmm.adstock, channel))
        response = mmm.saturation.function(carried, dim="date", **_of_channel(mmm, mmm.saturation, channel))
        responses.append(response.values)
    without, changed = responses
    gained = (changed - without)[window.start : window.stop]
    return known.test.share * (gained * of_rows).sum()


def _of_channel(mmm: Any, transformation: Any, channel: int) -> dict[str, Any]:
    """A channel's parameters of an adstock or a saturation, by the names of its function's arguments."""
    names = transformation.variable_mapping
    return {short: mmm.model[name].isel(channel=channel) for short, name in names.items()}


def _trend_and_events(inputs: ScaledInputs, priors: dict[str, Any]) -> list[Any]:
    """Terms that pymc-marketing adds to the mean from outside."""
    from pymc_marketing.mmm.additive_effect import EventAdditiveEffect, LinearTrendEffect
    from pymc_marketing.mmm.events import EventEffect, GaussianBasis
    from pymc_marketing.mmm.linear_trend import LinearTrend

    from mmm_engine.model.pymc_calendar import CalendarEffect, RowEventEffect

    config, effects = inputs.config, list[Any]()
    if config.model.trend is not None:
        # their last changepoint lies at the last row and changes nothing there
        trend = LinearTrend(
            n_changepoints=config.model.trend.changepoints + 1, priors={"delta": priors["trend_delta"]}
        )
        effects.append(LinearTrendEffect(trend=trend, prefix="trend"))
    if config.model.weekly_seasonality:
        prior = {"gamma_weekday": priors["gamma_weekday"]}
        columns = {"gamma_weekday": list(range(WEEKDAY_CONTRASTS))}
        effects.append(
            CalendarEffect(
                prefix="weekday",
                period=inputs.period,
                regressors=weekday_contrasts,
                priors=prior,
                columns=columns,
            )
        )
    if config.model.holidays is not None:
        of_level, of_each = "gamma_holiday_level", "gamma_holiday"
        effects.append(
            CalendarEffect(
                prefix="holidays",
                period=inputs.period,
                regressors=partial(holiday_shares, holidays=config.model.holidays),
                priors={of_level: priors[of_level], of_each: priors[of_each]},
                columns={of_level: [0], of_each: list(range(1, 1 + len(config.model.holidays.days)))},
            )
        )
    if config.model.events and inputs.period != "day":

        def shares(calendar: Calendar) -> Floats:
            _, of_occurrences, members = event_occurrences(config.model.events, calendar)
            return np.asarray(of_occurrences @ members)

        effects.append(
            RowEventEffect(
                prefix="event",
                period=inputs.period,
                shares=shares,
                names=[event.name for event in config.model.events],
                sigma=priors["event_sigma"],
                size=priors["event_effect_size"],
            )
        )
    elif config.model.events:
        days = [(event.name, once) for event in config.model.events for once in event.days]
        frame = pd.DataFrame(
            {
                "name": [name for name, _ in days],
                "start_date": [pd.Timestamp(once.start) for _, once in days],
                "end_date": [pd.Timestamp(once.end) for _, once in days],
            }
        )
        basis = GaussianBasis(priors={"sigma": priors["event_sigma"]})
        effect = EventEffect(basis=basis, effect_size=priors["event_effect_size"], dims="event")
        effects.append(EventAdditiveEffect(df_events=frame, prefix="event", effect=effect))
    return effects


def training_frame(inputs: ScaledInputs) -> tuple[pd.DataFrame, pd.Series]:
    """Training rows as `MMM.fit` takes them: media and target in original units, controls scaled by us."""
    rows = inputs.train_rows
    media = pd.DataFrame(
        inputs.media_scaled * inputs.scales.media_array(), columns=list(inputs.config.channel_names)
    )
    controls = pd.DataFrame(inputs.controls_scaled, columns=list(inputs.config.control_names))
    frame = pd.concat([pd.Series(inputs.dates, name="date"), media, controls], axis=1)
    return frame.iloc[:rows], pd.Series(inputs.target[:rows], name=inputs.config.target.column)


def model_priors(specification: ModelSpecification, train_rows: int) -> dict[str, Any]:
    """Priors by pymc-marketing's names: pymc-extras `Prior` objects and `HSGPKwargs`.

    Args:
        specification: The client's model.
        train_rows: Number of training rows, from which the width of a time-varying basis follows.
    """
    from pymc_extras.prior import Prior

    (intercept,) = specification.with_role(Role.INTERCEPT)
    priors: dict[str, Any] = {intercept.name: _prior(intercept)}
    arguments = {
        argument.name: _prior(specification.parameter(argument.value))
        if isinstance(argument.value, str)
        else argument.value
        for argument in specification.noise_arguments
    }
    priors["likelihood"] = Prior(specification.likelihood, **arguments)
    priors |= {spec.name: _prior(spec) for spec in specification.with_role(Role.CONTROL_EFFECT)}
    for setting, process in (
        ("media_tvp_config", specification.media_process),
        ("intercept_tvp_config", specification.intercept_process),
    ):
        if process is not None:
            priors[setting] = _hsgp(process, specification, train_rows)
    for spec in specification.with_role(Role.HOLIDAY):
        level, each = spec.parts
        priors[level.name] = Prior(level.prior.distribution, **_arguments(level.prior))
        priors[each.name] = Prior(each.prior.distribution, **_arguments(each.prior), dims="holiday")
    rest = specification.with_role(*SATURATION_ROLES, Role.ADSTOCK, Role.SEASONALITY, *_OUTSIDE)
    own = [spec for spec in rest if spec.parts[0].prior != FROM_RETURN]
    return priors | {spec.name: _prior(spec) for spec in sorted(own, key=_guide_order)}


_OUTSIDE = (
    Role.BASELINE_SLOPE,
    Role.BASELINE_STEP,
    Role.WEEKDAY,
    Role.TREND,
    Role.EVENT_WIDTH,
    Role.EVENT_SIZE,
)
"""Of terms that pymc-marketing adds to the mean from outside."""

_GUIDE_ORDER = (Role.HALF_SATURATION, Role.SATURATION_SHAPE, Role.SATURATION_SCALE)


def _guide_order(spec: ParameterSpec) -> tuple[int, str]:
    """Saturation before adstock, half-saturation before scale: the order data scientists know."""
    place = _GUIDE_ORDER.index(spec.role) if spec.role in _GUIDE_ORDER else len(_GUIDE_ORDER)
    return place, spec.name


def _prior(spec: ParameterSpec) -> Any:
    from pymc_extras.prior import Prior

    part = spec.parts[0]
    if part.prior.distribution == "HalfLife":
        return HalfLifePrior(**_arguments(part.prior), dims=() if spec.dim is None else (spec.dim,))
    dims = {} if spec.dim is None else {"dims": spec.dim}
    return Prior(part.prior.distribution, **_arguments(part.prior), **dims)


def _arguments(prior: PriorSpec) -> dict[str, Any]:
    from pymc_extras.prior import Prior

    return {
        name: Prior(value.distribution, **_arguments(value))
        if isinstance(value, PriorSpec)
        else int(value)
        if value.is_integer()
        else value
        for name, value in prior.arguments
    }


def _hsgp(process: TimeProcess, specification: ModelSpecification, train_rows: int) -> Any:
    from pymc_marketing.hsgp_kwargs import HSGPKwargs

    from mmm_engine.model.arrays import half_width

    eta = dict(specification.parameter(process.amplitude).parts[0].prior.arguments)
    length = dict(specification.parameter(process.length_scale).parts[0].prior.arguments)
    return HSGPKwargs(
        m=process.n_basis,
        L=half_width(process, train_rows),
        eta_lam=eta["lam"],
        ls_mu=length["mu"],
        ls_sigma=length["sigma"],
        cov_func="matern52",
    )


def _refuse_mixed(inputs: ScaledInputs, specification: ModelSpecification) -> None:
    config = inputs.config
    who = f"client '{config.client}'"
    if len(specification.adstocks) > 1 or len(specification.saturations) > 1:
        fault = Fault(
            "channels", "different transformations", "one for all channels", "build the MMM by hand"
        )
        raise ConfigError(who, fault)
    if inputs.period == "day" and any(len(event.days) > 1 for event in config.model.events):
        found, wanted = "an event that comes again", "events that come once, where rows are daily"
        raise ConfigError(who, Fault("model.events", found, wanted, "build it by hand"))
    if specification.baseline_steps:
        fault = Fault(
            "model.baseline", "a baseline that wanders", "one that does not", "write 'baseline: null'"
        )
        raise ConfigError(who, fault)
    if inputs.config.model.likelihood_power != 1.0:
        found = f"a power of {inputs.config.model.likelihood_power:g}"
        fault = Fault(
            "model.likelihood_power", found, "1, rows that count in full", "write 'likelihood_power: 1'"
        )
        raise ConfigError(who, fault)
    if specification.returns is not None:
        fault = Fault("model.returns", "priors on returns", "priors on scales", "write 'priors: toolkit'")
        raise ConfigError(who, fault)
    for spec in specification.parameters:
        if spec.role is not Role.HOLIDAY and (len(spec.parts) > 1 or spec.parts[0].sign < 0):
            fault = Fault(
                spec.name, "different priors, or a sign", "one prior for all elements", "build it by hand"
            )
            raise ConfigError(who, fault)


__all__ = [
    "INTERCEPT_NAMES",
    "INTERCEPT_PROCESS",
    "MEDIA_PROCESS",
    "build_pymc_mmm",
    "model_priors",
    "training_frame",
]
