"""Adstock, saturation and time variation: worked by hand, and held against pymc-marketing's own curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.array_types import Floats
from mmm_engine.compiler.array_functions import numpy_functions
from mmm_engine.model.media_transforms import (
    ADSTOCKS,
    SATURATIONS,
    TransformParameter,
    adstock,
    lagged,
)
from mmm_engine.model.parameters import Role, Unit
from mmm_engine.model.pymc_reference import SATURATION_CLASSES
from mmm_engine.model.time_variation import (
    fourier_modes,
    hsgp_basis,
    hsgp_frequencies,
    matern52_sqrt_density,
    softplus_multiplier,
)

XP = numpy_functions()
ONE = np.full((1, 1), 1.0)


def test_geometric_adstock_by_hand() -> None:
    """With alpha 1/2 over three periods the weights are 4/7, 2/7, 1/7."""
    media = np.array([[7.0], [0.0], [0.0], [7.0]])
    carried = adstock(lagged(media, 3), "geometric", {"alpha": ONE * 0.5}, 3, XP)
    assert carried[:, 0] == pytest.approx([4.0, 2.0, 1.0, 4.0])


def test_delayed_adstock_peaks_at_theta() -> None:
    """With theta 1 and alpha 1/2 over three periods the weights are 1/4, 1/2, 1/4."""
    carried = adstock(lagged(np.eye(3, 1), 3), "delayed", {"alpha": ONE * 0.5, "theta": ONE}, 3, XP)
    assert carried[:, 0] == pytest.approx([0.25, 0.5, 0.25])


def saturate(media: Floats, kind: str, parameters: dict[str, Floats], xp: Any) -> Floats:
    """Response to (adstocked) media: the curve's shape times the parameter that scales it, if there is one."""
    saturation = SATURATIONS[kind]
    shape = np.asarray(saturation.shape(media, parameters, xp))
    return shape if saturation.scale is None else parameters[saturation.scale] * shape


@pytest.mark.parametrize("kind", [kind for kind in ADSTOCKS if kind != "none"])
def test_adstock_conserves_media(kind: str) -> None:
    """The weights of every adstock sum to one, so a single burst keeps its size."""
    parameters = {parameter.name: ONE * 0.7 for parameter in ADSTOCKS[kind].parameters}
    carried = adstock(lagged(np.eye(8, 1), 5), kind, parameters, 5, XP)
    assert carried.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", list(SATURATIONS))
def test_no_media_has_no_effect(kind: str) -> None:
    """Every response curve starts at zero."""
    parameters = {parameter.name: ONE * 0.6 for parameter in SATURATIONS[kind].parameters}
    assert saturate(np.zeros((4, 1)), kind, parameters, XP) == pytest.approx(np.zeros((4, 1)))


@pytest.mark.parametrize(
    ("kind", "parameters", "media", "response"),
    [
        ("michaelis_menten", {"alpha": 6.0, "lam": 2.0}, 4.0, 4.0),
        ("logistic", {"lam": math.log(3.0), "beta": 2.0}, 1.0, 1.0),
        ("inverse_scaled_logistic", {"lam": 0.3, "beta": 2.0}, 0.3, 1.0),
        ("hill", {"slope": 2.0, "kappa": 3.0, "beta": 10.0}, 1.0, 1.0),
        ("tanh", {"b": 2.0, "c": 0.5}, 1.0, 2.0 * math.tanh(1.0)),
        ("root", {"alpha": 0.5, "beta": 3.0}, 4.0, 6.0),
        ("log", {"beta": 2.0}, math.e - 1.0, 2.0),
        ("none", {"beta": 2.0}, 3.0, 6.0),
    ],
)
def test_curves_by_hand(kind: str, parameters: dict[str, float], media: float, response: float) -> None:
    """Each curve at a point where its value is known."""
    values = {name: ONE * value for name, value in parameters.items()}
    assert saturate(ONE * media, kind, values, XP)[0, 0] == pytest.approx(response)


@pytest.mark.parametrize("kind", sorted(SATURATIONS))
@pytest.mark.filterwarnings("ignore")
def test_curves_are_pymc_marketings(kind: str) -> None:
    """The same parameters give the same response, from no media to twice the largest."""
    import pymc_marketing.mmm as components
    from pytensor.xtensor import as_xtensor

    numbers = {
        "lam": 1.7,
        "alpha": 0.6,
        "beta": 1.3,
        "slope": 1.4,
        "kappa": 0.7,
        "sigma": 2.1,
        "b": 0.8,
        "c": 0.5,
    }
    parameters = {spec.name: numbers[spec.name] for spec in SATURATIONS[kind].parameters}
    media = np.linspace(0.0, 2.0, 9)
    theirs = getattr(components, SATURATION_CLASSES[kind])()
    response = theirs.function(as_xtensor(media, dims=("date",)), **parameters).eval()
    ours = saturate(media[:, None], kind, {name: ONE * value for name, value in parameters.items()}, XP)
    assert ours[:, 0] == pytest.approx(np.asarray(response), rel=1e-12)


@given(st.sampled_from(sorted(SATURATIONS)), st.floats(0.05, 3.0), st.floats(0.0, 2.0), st.floats(0.0, 1.0))
def test_more_media_never_does_less(kind: str, parameter: float, media: float, more: float) -> None:
    """Response curves never fall."""
    values = {spec.name: ONE * min(parameter, 0.95) for spec in SATURATIONS[kind].parameters}
    low, high = saturate(np.array([[media], [media + more]]), kind, values, XP)[:, 0]
    assert high >= low - 1e-12


def test_multiplier_has_mean_one_over_the_training_rows() -> None:
    """Held-out rows do not enter the mean."""
    latent = np.random.default_rng(0).normal(size=(5, 12))
    curve = softplus_multiplier(latent, np.repeat([1 / 8, 0.0], [8, 4]), XP)
    assert curve[:, :8].mean(axis=1) == pytest.approx(np.ones(5))
    assert (curve > 0).all()


def test_basis_reproduces_the_covariance() -> None:
    """Basis and spectral density together give back the Matérn 5/2 covariance."""
    time, width, length, eta = np.arange(40.0), 120.0, 8.0, 1.3
    basis = hsgp_basis(time, 19.5, width, 200)
    density = matern52_sqrt_density(hsgp_frequencies(width, 200), eta, length, XP) ** 2
    distance = np.abs(time[:, None] - time) * math.sqrt(5.0) / length
    exact = eta**2 * (1.0 + distance + distance**2 / 3.0) * np.exp(-distance)
    assert (basis * density) @ basis.T == pytest.approx(exact, abs=1e-3)


def test_fourier_modes_return_after_a_year() -> None:
    """Sines first, then cosines; a quarter of a year after the origin the first sine is one."""
    modes = fourier_modes(np.array([0.0, 365.25 / 4]), 2)
    assert modes[0] == pytest.approx([0.0, 0.0, 1.0, 1.0])
    assert modes[1] == pytest.approx([1.0, 0.0, 0.0, -1.0], abs=1e-12)


_POWERS = {  # of the target's scale and of the media's scale in a parameter's number
    Unit.NUMBER: (0, 0),
    Unit.MEDIA: (0, 1),
    Unit.PER_MEDIA: (0, -1),
    Unit.MEDIA_PER_TARGET: (-1, 1),
    Unit.TARGET: (1, 0),
    Unit.TARGET_PER_MEDIA: (1, -1),
}


@pytest.mark.parametrize("kind", SATURATIONS)
def test_units_of_saturation_parameters_are_right(kind: str) -> None:
    """Target and media in other units, parameters carried along by their units: the response is carried along too."""
    media = np.array([[0.0], [0.2], [0.7], [1.0]])
    parameters = {
        parameter.name: np.full((1, 1), value)
        for parameter, value in zip(SATURATIONS[kind].parameters, (0.6, 0.8, 1.3), strict=False)
    }
    target_scale, media_scale = (
        7.0,
        1.0 if kind in ("root", "log") else 3.0,
    )  # these two know no unit of media

    def in_other_units(parameter: TransformParameter) -> Any:
        of_target, of_media = _POWERS[parameter.unit]
        return parameters[parameter.name] * target_scale**of_target * media_scale**of_media

    moved = {parameter.name: in_other_units(parameter) for parameter in SATURATIONS[kind].parameters}
    response = saturate(media, kind, parameters, XP)
    assert saturate(media_scale * media, kind, moved, XP) == pytest.approx(target_scale * response, rel=1e-12)


@pytest.mark.parametrize("kind", SATURATIONS)
def test_roles_of_saturation_parameters_are_right(kind: str) -> None:
    """What multiplies the curve is its scale; half of the rise is reached at the half-saturation point."""
    saturation = SATURATIONS[kind]
    roles = {parameter.name: parameter.role for parameter in saturation.parameters}
    assert sum(role is Role.SATURATION_SCALE for role in roles.values()) == 1
    assert saturation.scale is None or roles[saturation.scale] is Role.SATURATION_SCALE
    assert saturation.half is None or roles[saturation.half] is Role.HALF_SATURATION
    for name in (name for name, role in roles.items() if role is Role.HALF_SATURATION):
        parameters = {parameter: np.full((1, 1), 1.0) for parameter in roles} | {name: np.full((1, 1), 0.3)}
        at_half, far_out = saturate(np.array([[0.3], [1e9]]), kind, parameters, XP)[:, 0]
        assert at_half == pytest.approx(far_out / 2.0, rel=1e-6)
