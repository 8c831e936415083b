"""Adstock and saturation as formulas that run on numpy arrays and on expressions alike.

Here: the media transformations, written once, with the default priors of their parameters. The sampler differentiates
them, predictions evaluate them for all draws at once; neither can drift from the other.
Not here: which transformation a client uses (terms.py), how terms add up (mean.py), time variation
(time_variation.py).

Shapes: parameters broadcast against (..., date, channel), so a parameter per channel comes in as (..., 1, channel).
`xp` are the array functions (compiler/array_functions.py). Media and target are scaled: 1 is the largest training
value. Adstock weights are w(l) for the lags l = 0 .. L - 1 in periods, here before they are divided by their sum.

Formulas equal pymc-marketing's (pymc_marketing.mmm.transformers; a test compares them), which follow Jin, Wang, Sun,
Chan & Koehler 2017, "Bayesian methods for media mix modeling with carryover and shape effects", Google Inc., where
another source is not named.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats, Operand
from mmm_engine.model.parameters import Role, Unit


@dataclass(frozen=True)
class TransformParameter:
    """A parameter of a transformation and its default prior.

    Attributes:
        name: Name within the transformation ("alpha", "lam").
        role: What it does there.
        unit: What it is measured in; media and target are scaled.
        prior: Distribution name and its arguments, as in the client file.
    """

    name: str
    role: Role
    unit: Unit
    prior: Mapping[str, Any]


@dataclass(frozen=True)
class Adstock:
    """Carry-over: weights over the current and earlier periods.

    Attributes:
        parameters: In the order of the arguments of `weights`.
        weights: (parameters, max_lag, xp) -> one unnormalised weight per lag, each shaped like the parameters.
    """

    parameters: tuple[TransformParameter, ...]
    weights: Callable[[Mapping[str, Array], int, ArrayFunctions], Sequence[Operand]]


@dataclass(frozen=True)
class Saturation:
    """A response curve with f(0) = 0.

    Attributes:
        parameters: All parameters of `curve`.
        shape: (media, parameters, xp) -> response up to the scale, same shape as media.
        scale: The parameter that multiplies the whole curve, or None when there is none.
        half: The parameter that is the media level of half response, or None when there is none.
    """

    parameters: tuple[TransformParameter, ...]
    shape: Callable[[Array, Mapping[str, Array], ArrayFunctions], Array]
    scale: str | None
    half: str | None = None


def _half_normal(sigma: float) -> dict[str, Any]:
    return {"distribution": "HalfNormal", "sigma": sigma}


def _gamma(mu: float, sigma: float) -> dict[str, Any]:
    return {"distribution": "Gamma", "mu": mu, "sigma": sigma}


def _beta(alpha: float, beta: float) -> dict[str, Any]:
    return {"distribution": "Beta", "alpha": alpha, "beta": beta}


# --- adstock --------------------------------------------------------------------------------------


def _no_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[float]:
    """w(0) = 1 and no other: media work in their own period only."""
    return [1.0]


def _geometric_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[Array]:
    """w(l) = alpha^l, 0 < alpha < 1 (Jin et al. 2017; Broadbent 1979, "One way TV advertisements work")."""
    weights = [xp.ones_like(p["alpha"])]
    for _ in range(max_lag - 1):
        weights.append(weights[-1] * p["alpha"])
    return weights


def _delayed_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[Array]:
    """w(l) = alpha^((l - theta)^2), 0 < alpha < 1: it peaks theta > 0 periods after the spend (Jin et al. 2017)."""
    log_alpha = xp.log(p["alpha"])
    return [xp.exp(log_alpha * (lag - p["theta"]) ** 2) for lag in range(max_lag)]


def _binomial_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[Array]:
    """w(l) = (1 - l / (L + 1))^(1 / alpha - 1), 0 < alpha < 1: falls all the way and would be 0 at lag L + 1."""
    power = 1.0 / p["alpha"] - 1.0
    return [xp.exp(power * math.log1p(-lag / (max_lag + 1))) for lag in range(max_lag)]


def _weibull_pdf_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[Array]:
    """w(l) = (p(l + 1) - min p) / (max p - min p), p the Weibull density; the peak may come later than the spend.

    p(t) = k / lam (t / lam)^(k - 1) exp(-(t / lam)^k) at t = 1 .. L, scale lam > 0 in periods, shape k > 0. As in Robyn
    (github.com/facebookexperimental/Robyn, adstock_weibull).
    """
    lam, k = p["lam"], p["k"]
    log_density = []
    for period in range(1, max_lag + 1):
        log_ratio = math.log(period) - xp.log(lam)
        log_density.append(xp.log(k / lam) + (k - 1.0) * log_ratio - xp.exp(k * log_ratio))
    highest = _fold(xp.maximum, log_density)  # far out in its tail every density would be 0
    density = [xp.exp(value - highest) for value in log_density]
    low, high = _fold(xp.minimum, density), _fold(xp.maximum, density)
    return [(value - low) / (high - low) for value in density]


def _weibull_cdf_weights(p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions) -> list[Array]:
    """w(l) = product over t = 1 .. l of exp(-(t / lam)^k): decay that may change its speed.

    The factors are survival functions of a Weibull distribution of scale lam > 0 in periods and shape k > 0, as in
    Robyn (github.com/facebookexperimental/Robyn, adstock_weibull).
    """
    weights = [xp.ones_like(p["lam"])]
    for period in range(1, max_lag):
        weights.append(weights[-1] * xp.exp(-xp.exp(p["k"] * (math.log(period) - xp.log(p["lam"])))))
    return weights


def _fold[Value](function: Callable[[Value, Value], Value], values: Sequence[Value]) -> Value:
    result = values[0]
    for value in values[1:]:
        result = function(result, value)
    return result


ADSTOCKS: dict[str, Adstock] = {
    "geometric": Adstock(
        (TransformParameter("alpha", Role.ADSTOCK, Unit.FRACTION, _beta(1, 3)),), _geometric_weights
    ),
    "delayed": Adstock(
        (
            TransformParameter("alpha", Role.ADSTOCK, Unit.FRACTION, _beta(1, 3)),
            TransformParameter("theta", Role.ADSTOCK, Unit.PERIODS, _half_normal(1)),
        ),
        _delayed_weights,
    ),
    "binomial": Adstock(
        (TransformParameter("alpha", Role.ADSTOCK, Unit.FRACTION, _beta(1, 3)),), _binomial_weights
    ),
    "weibull_pdf": Adstock(
        (
            TransformParameter("lam", Role.ADSTOCK, Unit.PERIODS, _gamma(2, 1)),
            TransformParameter("k", Role.ADSTOCK, Unit.NUMBER, _gamma(3, 1)),
        ),
        _weibull_pdf_weights,
    ),
    "weibull_cdf": Adstock(
        (
            TransformParameter("lam", Role.ADSTOCK, Unit.PERIODS, _gamma(2, 2.5)),
            TransformParameter("k", Role.ADSTOCK, Unit.NUMBER, _gamma(2, 2.5)),
        ),
        _weibull_cdf_weights,
    ),
    "none": Adstock((), _no_weights),
}


def lagged(media: Floats, max_lag: int) -> Floats:
    """Copies of the media shifted by 0 .. max_lag - 1 periods, zero before the first row.

    Adstock then is a weighted sum of constant arrays, which compiles to one fused loop.

    Args:
        media: Shape (date, channel).
        max_lag: Number of adstock weights, the current period included.

    Returns:
        Shape (lag, date, channel).

    >>> lagged(np.array([[1.0], [2.0], [3.0]]), 2)[:, :, 0]
    array([[1., 2., 3.],
           [0., 1., 2.]])
    """
    copies = np.zeros((max_lag, *media.shape))
    for lag in range(max_lag):
        copies[lag, lag:] = media[: len(media) - lag]
    return copies


def adstock(
    media_lagged: Array, kind: str, p: Mapping[str, Array], max_lag: int, xp: ArrayFunctions
) -> Array:
    """Media with carry-over: sum over lags of w(l) / sum(w) times the media of l periods before.

    Args:
        media_lagged: Output of `lagged`, shape (lag, date, channel).
        kind: A key of `ADSTOCKS`.
        p: The adstock's parameters, each of shape (..., 1, channel).
        max_lag: Number of adstock weights.
        xp: Array functions.

    Returns:
        Shape (..., date, channel).
    """
    weights = ADSTOCKS[kind].weights(p, max_lag, xp)
    if len(weights) == 1:
        return media_lagged[0]
    total = _fold(lambda a, b: a + b, weights)
    return _fold(
        lambda a, b: a + b, [(weight / total) * media_lagged[lag] for lag, weight in enumerate(weights)]
    )


# --- saturation -----------------------------------------------------------------------------------


def _michaelis_menten(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """x / (lam + x), lam > 0: half of the scale is reached at lam (Michaelis & Menten 1913)."""
    return x / (p["lam"] + x)


def _logistic(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """(1 - e^(-lam x)) / (1 + e^(-lam x)) = tanh(lam x / 2), lam > 0 per unit of media."""
    return xp.tanh(0.5 * p["lam"] * x)


def _inverse_scaled_logistic(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """tanh(log(3) x / (2 lam)), lam > 0: the logistic curve by its half-saturation point, as tanh(log(3) / 2) = 1/2."""
    return xp.tanh(0.5 * math.log(3.0) / p["lam"] * x)


def _hill(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """x^slope / (kappa^slope + x^slope), kappa, slope > 0; half is reached at kappa (Hill 1910; Jin et al. 2017).

    Written as sigmoid(slope log(x / kappa)), so that the gradient at x = 0 is finite.
    """
    log_ratio = _log_or_floor(x, xp) - xp.log(p["kappa"])
    return (x > 0.0) * xp.sigmoid(p["slope"] * log_ratio)


def _hill_sigmoid(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """sigmoid(beta (x - lam)) - sigmoid(-beta lam), beta > 0 per unit of media: steepest at lam, 0 at x = 0."""
    return xp.sigmoid(p["beta"] * (x - p["lam"])) - xp.sigmoid(-p["beta"] * p["lam"])


def _tanh(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """b tanh(x / (b c)), b, c > 0: rises to b, at first by 1 / c per unit of media."""
    return p["b"] * xp.tanh(x / (p["b"] * p["c"]))


def _root(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """x^alpha, 0 < alpha < 1: constant elasticity alpha, no ceiling."""
    return (x > 0.0) * xp.exp(p["alpha"] * _log_or_floor(x, xp))


def _log_or_floor(x: Array, xp: ArrayFunctions) -> Array:
    """log(x), finite at x = 0, where the callers multiply by (x > 0)."""
    return xp.log(xp.maximum(x, 1e-300))


def _log(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """log(1 + x): no parameter of its own, no ceiling."""
    return xp.log1p(x)


def _linear(x: Array, p: Mapping[str, Array], xp: ArrayFunctions) -> Array:
    """x: no saturation."""
    return x


SATURATIONS: dict[str, Saturation] = {
    "michaelis_menten": Saturation(
        (
            TransformParameter("alpha", Role.SATURATION_SCALE, Unit.TARGET, _gamma(2, 1)),
            TransformParameter("lam", Role.HALF_SATURATION, Unit.MEDIA, _half_normal(1)),
        ),
        _michaelis_menten,
        "alpha",
        "lam",
    ),
    "logistic": Saturation(
        (
            TransformParameter(
                "lam", Role.SATURATION_SHAPE, Unit.PER_MEDIA, {"distribution": "Gamma", "alpha": 3, "beta": 1}
            ),
            TransformParameter("beta", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(2)),
        ),
        _logistic,
        "beta",
    ),
    "inverse_scaled_logistic": Saturation(
        (
            TransformParameter(
                "lam", Role.HALF_SATURATION, Unit.MEDIA, {"distribution": "Gamma", "alpha": 0.5, "beta": 1}
            ),
            TransformParameter("beta", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(2)),
        ),
        _inverse_scaled_logistic,
        "beta",
    ),
    "hill": Saturation(
        (
            TransformParameter(
                "slope",
                Role.SATURATION_SHAPE,
                Unit.NUMBER,
                {"distribution": "Normal", "mu": 1, "sigma": 0.001},
            ),
            TransformParameter("kappa", Role.HALF_SATURATION, Unit.MEDIA, _half_normal(1.5)),
            TransformParameter("beta", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(1.5)),
        ),
        _hill,
        "beta",
        "kappa",
    ),
    "hill_sigmoid": Saturation(
        (
            TransformParameter("sigma", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(1.5)),
            TransformParameter("beta", Role.SATURATION_SHAPE, Unit.PER_MEDIA, _half_normal(1.5)),
            TransformParameter("lam", Role.SATURATION_SHAPE, Unit.MEDIA, _half_normal(1.5)),
        ),
        _hill_sigmoid,
        "sigma",
    ),
    "tanh": Saturation(
        (
            TransformParameter("b", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(1)),
            TransformParameter("c", Role.SATURATION_SHAPE, Unit.MEDIA_PER_TARGET, _half_normal(1)),
        ),
        _tanh,
        None,
    ),
    "root": Saturation(
        (
            TransformParameter("alpha", Role.SATURATION_SHAPE, Unit.NUMBER, _beta(1, 2)),
            TransformParameter(
                "beta", Role.SATURATION_SCALE, Unit.TARGET, {"distribution": "Gamma", "mu": 1, "sigma": 1}
            ),
        ),
        _root,
        "beta",
    ),
    "log": Saturation(
        (TransformParameter("beta", Role.SATURATION_SCALE, Unit.TARGET, _half_normal(1)),), _log, "beta"
    ),
    "none": Saturation(
        (TransformParameter("beta", Role.SATURATION_SCALE, Unit.TARGET_PER_MEDIA, _half_normal(1)),),
        _linear,
        "beta",
    ),
}
