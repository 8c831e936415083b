"""Clients that are measured: `ms` from the data folder, the others simulated on the spot.

Here: a client's rows from the name of a case.
Not here: what is done with them (ours.py, plain.py, growth.py).

Every case has a model that pymc-marketing can build too: one adstock, one saturation, positive controls.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from mmm_engine.client.windows import STANDARD_WINDOWS, standard_window
from mmm_engine.rows.client_data import ClientData, read_client
from mmm_engine.rows.window import ScaledInputs, scale_window

DATA = Path(__file__).parents[2] / "data"
GROWTH_ROWS, GROWTH_CHANNELS = 161, 10


def client_data(case: str) -> ClientData:
    """Rows of a case.

    Args:
        case: "ms"; "small" (104 weeks, 4 channels, 2 controls, no time variation); "channels-20" or "rows-520"
            (time-varying media as in `ms`; 161 weeks or 10 channels where the name says nothing).
    """
    if case == "ms":
        return read_client("ms", DATA)
    if case == "small":
        return _simulated(case, rows=104, channels=4, multiplier=0.0)
    what, number = case.split("-")
    rows = int(number) if what == "rows" else GROWTH_ROWS
    channels = int(number) if what == "channels" else GROWTH_CHANNELS
    return _simulated(case, rows=rows, channels=channels, multiplier=0.1)


def windows(case: str, names: list[str] | None = None) -> list[ScaledInputs]:
    """Windows of a case, scaled on their training rows; all four when none is named."""
    data = client_data(case)
    chosen = STANDARD_WINDOWS if names is None else [standard_window(name) for name in names]
    return [scale_window(data, window) for window in chosen]


def _simulated(case: str, *, rows: int, channels: int, multiplier: float) -> ClientData:
    from mmm_engine.simulation.client import simulate_client, write_simulation

    simulation = simulate_client(case, periods=rows, channels=channels, seed=1, multiplier=multiplier)
    with tempfile.TemporaryDirectory() as folder:
        write_simulation(simulation, Path(folder))
        return read_client(case, Path(folder))
