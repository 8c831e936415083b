"""Slow curves over time and the yearly cycle: bases and the functions that turn coefficients into them.

Here: the Hilbert-space approximation of a Gaussian process with a Matérn 5/2 covariance, its positive multiplier of
mean one, Fourier modes of the year.
Not here: which coefficients a model has (specification.py), trend and events (calendar_terms.py).
"""

from __future__ import annotations

import math

import numpy as np

from mmm_engine.array_types import Array, ArrayFunctions, Floats, Operand


def hsgp_basis(time: Floats, middle: float, half_width: float, n_basis: int) -> Floats:
    """Laplacian eigenfunctions on [-L, L] at centred times (Solin and Särkkä 2020, doi:10.1007/s11222-019-09886-w).

    Args:
        time: Row numbers, shape (date,).
        middle: Centre of the training rows.
        half_width: L, in rows.
        n_basis: Number of functions.

    Returns:
        Shape (date, basis).
    """
    frequencies = hsgp_frequencies(half_width, n_basis)
    return np.sin((time - middle + half_width)[:, None] * frequencies) / math.sqrt(half_width)


def hsgp_frequencies(half_width: float, n_basis: int) -> Floats:
    """Square roots of the eigenvalues, shape (basis,), per row."""
    return np.asarray(np.arange(1, n_basis + 1) * np.pi / (2.0 * half_width), dtype=float)


def matern52_sqrt_density(
    frequencies: Array, eta: Operand, length_scale: Operand, xp: ArrayFunctions
) -> Array:
    """Square root of the spectral density of a Matérn 5/2 covariance in one dimension.

    S(w) = eta^2 (16/3) 5^(5/2) l (5 + l^2 w^2)^(-3) (Rasmussen and Williams 2006, eq. 4.15).
    """
    inner = 5.0 + (length_scale * frequencies) ** 2
    return eta * xp.sqrt(16.0 / 3.0 * 5.0**2.5 * length_scale) * inner ** (-1.5)


def softplus_multiplier(latent: Array, weights: Array, xp: ArrayFunctions) -> Array:
    """A positive curve whose weighted mean is one: softplus(f) over its weighted mean, softplus(f) = log(1 + e^f).

    Args:
        latent: Gaussian process values, shape (..., date).
        weights: Weights of the mean, adding up to one, shape (date,).
        xp: Array functions.

    Returns:
        Shape (..., date).
    """
    positive = xp.softplus(latent)
    return positive / (positive @ weights)[..., None]


def fourier_modes(day_of_year: Floats, order: int) -> Floats:
    """Sines and cosines of the year, shape (date, 2 * order): all sines first, as pymc-marketing has them."""
    angle = 2.0 * np.pi * day_of_year[:, None] / 365.25 * np.arange(1, order + 1)
    return np.hstack([np.sin(angle), np.cos(angle)])
