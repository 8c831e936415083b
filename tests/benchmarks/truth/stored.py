"""Worlds that are stored as files: a CSV, a client file and the truth as JSON, one of each per world.

Here: reading a folder of them. Only columns and kinds are read from the client file: the study chooses the settings
(`clients.py`), as for worlds it makes itself.
Not here: making worlds (`worlds.py`).

The truth file has ``tags`` (freq, n, media_share, noise, …), ``channels`` (channel, contribution, spend, roas, is_null,
adstock, sat, spend_kind, started) and is known over all rows only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tests.benchmarks.truth.worlds import VisibleChannel, VisibleRows, World

_SATURATIONS = {"mm": "michaelis_menten", "negexp": "exponential"}
_ADSTOCKS = {"geo": "short", "geo_long": "long"}
_TAGS = {
    "freq": "spacing",
    "n": "rows",
    "rho": "correlation",
    "tvm": "time_varying",
    "C": "n_channels",
    "roas_all": "roas",
}


def read_worlds(folder: Path) -> list[World]:
    """Every world of a folder (``<name>.csv``, ``<name>.yaml``, ``<name>.truth.json``), by name.

    Raises:
        FileNotFoundError: If there is none.
    """
    names = sorted(path.name.removesuffix(".truth.json") for path in folder.glob("*.truth.json"))
    if not names:
        raise FileNotFoundError(f"no *.truth.json in {folder}: name a folder of stored worlds")
    return [read_world(folder, name) for name in names]


def read_world(folder: Path, name: str) -> World:
    """One stored world."""
    client = yaml.safe_load((folder / f"{name}.yaml").read_text())
    truth = json.loads((folder / f"{name}.truth.json").read_text())
    frame = pd.read_csv(folder / client["data"], parse_dates=[client["date"]])
    frame = frame.rename(columns={client["date"]: "date", client["target"]["column"]: "sales"})
    channels = tuple(_channel(entry) for entry in client["channels"])
    controls = tuple(entry["column"] for entry in client["controls"])
    rows = VisibleRows(name, frame, client["target"]["kind"] == "conversions", channels, controls)
    forms = pd.DataFrame(
        {
            "channel": entry["channel"],
            "adstock": _ADSTOCKS.get(entry["adstock"], entry["adstock"]),
            "saturation": _SATURATIONS.get(entry["sat"], entry["sat"]),
            "spend_kind": entry["spend_kind"],
            "null": entry["is_null"],
            "organic": False,
            "late": entry["started"] > 0,
        }
        for entry in truth["channels"]
    )
    contribution = np.array([[entry["contribution"] for entry in truth["channels"]]])
    spend = frame[[channel.cost or channel.column for channel in channels]].to_numpy(dtype=float)
    return World(rows, forms, _tags(truth["tags"]), spend, contribution, contribution.sum(axis=1))


def _channel(entry: str | dict[str, Any]) -> VisibleChannel:
    return VisibleChannel(entry) if isinstance(entry, str) else VisibleChannel(**entry)


def _tags(stored: dict[str, Any]) -> dict[str, Any]:
    tags = {_TAGS.get(key, key): value for key, value in stored.items()}
    tags["confounding"] = "seen" if stored["confound"] else "none"
    return tags
