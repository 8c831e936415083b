"""The table of all families, by PyMC's name.

Here: `DISTRIBUTIONS`, what a prior may be.
Not here: the families (positive.py, bounded.py, real.py), checking what a user wrote (arguments.py).
"""

from __future__ import annotations

from mmm_engine.distributions import bounded, positive, real
from mmm_engine.distributions.family import Distribution

DISTRIBUTIONS: dict[str, Distribution] = {
    family.name: family for family in (*positive.FAMILIES, *bounded.FAMILIES, *real.FAMILIES)
}
