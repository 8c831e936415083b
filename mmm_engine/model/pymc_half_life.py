"""The prior of a half-life as PyMC's graphs take it: no distribution of PyMC's has its form.

Here: `HalfLifePrior`, with the interface of pymc-extras' `Prior` that pymc-marketing asks for.
Not here: its density in the sampler (distributions/bounded.py), all other priors (pymc_reference.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class HalfLifePrior:
    """x = 2^(-1 / h) with a log-normal half-life h in rows: what is left of an effect after one row.

    Attributes:
        median: Median of h, in rows.
        sigma: Standard deviation of log(h).
        dims: Dimension of the variable, as pymc-extras has it.
    """

    median: float
    sigma: float
    dims: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """As a prior of pymc-extras reads."""
        dims = f', dims="{self.dims[0]}"' if self.dims else ""
        return f'Prior("HalfLife", median={self.median:g}, sigma={self.sigma:g}{dims})'

    def create_variable(self, name: str, xdist: bool = False) -> Any:
        """The variable in the model of the context.

        Raises:
            ValueError: For PyMC's variables with named dimensions, which have no such distribution.
        """
        import pymc as pm
        from pymc.distributions.transforms import logodds

        if xdist:
            raise ValueError(f"{name}: the prior of a half-life has no form with named dimensions")
        return pm.CustomDist(
            name,
            self.median,
            self.sigma,
            logp=_log_density,
            random=_draw,
            dims=self.dims or None,
            transform=logodds,
        )


def _log_density(value: Any, median: Any, sigma: Any) -> Any:
    """The density of h at h(x), times dh / dx = log(2) / (x log(x)^2)."""
    import pymc as pm
    import pytensor.tensor as pt

    half_life = -np.log(2.0) / pt.log(value)
    of_half_life = pm.logp(pm.LogNormal.dist(pt.log(median), sigma), half_life)
    return of_half_life + np.log(np.log(2.0)) - pt.log(value) - 2.0 * pt.log(-pt.log(value))


def _draw(median: Any, sigma: Any, rng: np.random.Generator | None = None, size: Any = None) -> Any:
    source = np.random.default_rng() if rng is None else rng
    return np.exp2(-1.0 / (median * np.exp(sigma * source.standard_normal(size))))
