"""Types of arrays, shared by all wings.

Here: aliases for numpy arrays by what they hold.
Not here: shapes, which each docstring tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Days = NDArray[np.datetime64]
"""Dates of type datetime64[D]; NaT where a cell is no date."""

Array = Any
"""A numpy array or an expression (compiler/graph.py): what a formula takes that runs on both."""
