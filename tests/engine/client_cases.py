"""A small sound client, in the forms in which tests break it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config
from mmm_engine.client.config import ClientConfig
from mmm_engine.errors import ConfigError, DataError
from mmm_engine.rows.client_data import read_client_data

HEAD = "client: shop\ndata: shop.csv\ndate: week\n"
SHOP = HEAD + "target: {column: revenue, kind: revenue}\nchannels: [tv, radio]\ncontrols: [price]\n"
"""The client's file, and its beginning."""

SETTINGS = {
    "client": "shop",
    "data": "shop.csv",
    "date": "week",
    "target": {"column": "revenue", "kind": "revenue"},
    "channels": ["tv", "radio"],
    "controls": ["price"],
}


def shop_config(**changes: object) -> ClientConfig:
    """Settings of the client: target revenue, channels tv and radio, control price, max_lag 4."""
    return client_config_from_mapping(SETTINGS | changes)


def read_shop(folder: Path, text: str) -> ClientConfig:
    """The settings in a client file that says ``text`` after `SHOP`."""
    (folder / "shop.yaml").write_text(SHOP + text)
    return read_client_config(folder / "shop.yaml")


def faults_of_settings(folder: Path, text: str, name: str = "shop.yaml") -> list[str]:
    """The faults of a client file with this text, as text."""
    path = folder / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_client_config(path)
    assert str(caught.value).startswith(f"client '{path.stem}', {name}: ")
    return [str(fault) for fault in caught.value.faults]


def shop_rows(rows: int = 60, dates: Sequence[str] | None = None) -> pd.DataFrame:
    """Weekly rows from Monday 2022-01-03 (line 2 of a file) on, every cell an object that a test may replace."""
    rng = np.random.default_rng(7)
    mondays = pd.date_range("2022-01-03", periods=rows, freq="W-MON").strftime("%Y-%m-%d")
    frame = pd.DataFrame(
        {
            "week": list(mondays) if dates is None else list(dates),
            "revenue": rng.normal(1000, 50, rows).round(2),
            "tv": rng.gamma(2, 50, rows).round(2),
            "radio": rng.gamma(2, 20, rows).round(2),
            "price": rng.normal(10, 1, rows).round(2),
        }
    )
    return frame.astype(object)


def with_cell(column: str, line: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A change of one cell; ``line`` is its line in the CSV file."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[line - 2, column] = value
        return frame

    return change


def faults_of_file(
    folder: Path, content: bytes | pd.DataFrame, config: ClientConfig | None = None
) -> list[str]:
    """The faults that reading a CSV file with this content gives, as text; empty when it is accepted."""
    config = shop_config() if config is None else config
    data = content.to_csv(index=False).encode() if isinstance(content, pd.DataFrame) else content
    (folder / config.data).write_bytes(data)
    try:
        read_client_data(config, folder)
    except DataError as error:
        return [str(fault) for fault in error.faults]
    return []
