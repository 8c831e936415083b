"""The array functions that formulas may use, for numpy and for symbolic tensors.

A formula that takes its functions from here runs on both: the sampler differentiates it, predictions evaluate it.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np


@cache
def numpy_functions() -> Any:
    """Functions on numpy arrays."""
    from scipy import special

    return SimpleNamespace(
        exp=np.exp,
        expm1=np.expm1,
        where=np.where,
        log=np.log,
        log1p=np.log1p,
        sqrt=np.sqrt,
        tanh=np.tanh,
        abs=np.abs,
        maximum=np.maximum,
        minimum=np.minimum,
        concatenate=np.concatenate,
        cumsum=np.cumsum,
        ones_like=np.ones_like,
        zeros_like=np.zeros_like,
        erfc=special.erfc,
        gammaln=special.gammaln,
        sigmoid=special.expit,
        softplus=lambda x: np.logaddexp(0.0, x),
    )


@cache
def symbolic_functions() -> Any:
    """Functions on PyTensor variables."""
    import pytensor.tensor as pt

    return SimpleNamespace(
        exp=pt.exp,
        expm1=pt.expm1,
        where=pt.where,
        log=pt.log,
        log1p=pt.log1p,
        sqrt=pt.sqrt,
        tanh=pt.tanh,
        abs=pt.abs,
        maximum=pt.maximum,
        minimum=pt.minimum,
        concatenate=pt.concatenate,
        cumsum=pt.cumsum,
        ones_like=pt.ones_like,
        zeros_like=pt.zeros_like,
        erfc=pt.erfc,
        gammaln=pt.gammaln,
        sigmoid=pt.sigmoid,
        softplus=pt.softplus,
    )
