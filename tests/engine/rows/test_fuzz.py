"""Files that arrive broken: whatever stands in them, reading ends in rows or in one clear error, and writes nothing.

Sound files are mutated with seeds, so that a failing input can be made again. MMM_FUZZ says how many of each kind.
"""

from __future__ import annotations

import gzip
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmm_engine.errors import MMMError
from mmm_engine.rows.client_data import read_client

INPUTS = int(os.environ.get("MMM_FUZZ", "120"))
SECONDS_PER_INPUT = 10

HOSTILE = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b'"',
    b'""",',
    b",,,,",
    b";",
    b"\t",
    b"=cmd|' /C calc'!A0",
    b"nan",
    b"-inf",
    b"1e999",
    b"-5",
    b"1,234.5",
    b"9" * 400,
    b"0x10",
    "١٢".encode(),
    "２０２４".encode(),
    b"2024-02-30",
    b"9999-12-31",
    b"0001-01-01",
    b"../../../../etc/passwd",
    b"/etc/passwd.csv",
    b"..%2f..%2fx.csv",
    b"C:\\x.csv",
    b"!!python/object/apply:os.system ['touch pwned']",
    b"&a [*a, *a]",
    b"*a",
    b"<<: *a",
    b"{" * 200,
    b"[" * 200,
    b"? " * 50,
    b"- " * 50,
    b"yes",
    b"null",
    b"~",
    b"client: other\n",
    b"draws: 1e6",
    b"\x1b[2J",
    "\u202e".encode(),
    b"\xc3\x28",
    b"PK\x03\x04",
    b"PAR1",
    b"<html>",
]

YAML = """client: shop
data: shop.csv
date: week
target: {column: sales, kind: revenue}
channels:
- tv
- {column: search, unit: clicks, cost: search_cost, adstock: {kind: delayed, max_lag: 3}, saturation: hill}
controls: [{column: price, effect: any}]
model:
  adstock: {kind: geometric, max_lag: 4}
  yearly_seasonality: 2
  trend: {changepoints: 3}
  events: {sale: [2024-03-04], launch: 2024-05-06}
calibration: lift.csv
sampler: {draws: 100, tune: 100, chains: 2}
thresholds: {rhat_max: 1.05}
"""
LIFT = """channel,date,x,delta_x,delta_y,sigma
tv,2024-03-04,900,200,110,30
search,2024-04-01,800,-300,-90,40
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound client with lift tests."""
    (tmp_path / "data").mkdir()
    rng, rows = np.random.default_rng(1), 60
    weeks = pd.date_range("2024-01-01", periods=rows, freq="W-MON").strftime("%Y-%m-%d")
    frame = pd.DataFrame({"week": weeks, "tv": rng.gamma(2, 500, rows).round(2)})
    frame["search"], frame["search_cost"] = rng.integers(1, 999, rows), rng.gamma(2, 100, rows).round(2)
    frame["price"] = rng.normal(10, 1, rows).round(3)
    frame["sales"] = (5000 + frame["tv"] * 0.5 + rng.normal(0, 300, rows)).round(2)
    frame.to_csv(tmp_path / "data" / "shop.csv", index=False)
    frame.to_parquet(tmp_path / "data" / "shop.parquet")
    frame.set_index("week").T.rename_axis("what").to_csv(tmp_path / "data" / "turned.csv")
    frame.melt("week", var_name="what").to_csv(tmp_path / "data" / "long.csv", index=False)
    groups = "week,Spend,,,,\n,tv,search,search_cost,price,sales\n"
    rows_alone = frame.to_csv(index=False, header=False)
    (tmp_path / "data" / "shop.csv.gz").write_bytes(gzip.compress((groups + rows_alone).encode(), mtime=0))
    (tmp_path / "data" / "shop.yaml").write_text(YAML)
    (tmp_path / "data" / "lift.csv").write_text(LIFT)
    return tmp_path / "data"


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The content after one to four changes: bytes, cells, lines, pieces moved, cut or repeated, hostile tokens."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice([1, 1, 5, 60, 2000]))
        lines = content.split(b"\n")
        match rng.randrange(8):
            case 0:
                content = content[:start] + bytes([rng.randrange(256)]) + content[start + 1 :]
            case 1:
                content = content[:start] + content[end:]
            case 2:
                content = content[:start] + content[start:end] * rng.choice([2, 3, 50]) + content[end:]
            case 3:
                content = content[:start] + rng.choice(HOSTILE) + content[end:]
            case 4:
                content = content[:start] + rng.choice(HOSTILE) + content[start:]
            case 5:
                line = rng.randrange(len(lines))
                separator = b"," if b"," in lines[line] else b" "
                cells = lines[line].split(separator)
                cells[rng.randrange(len(cells))] = rng.choice(HOSTILE)
                content = b"\n".join([*lines[:line], separator.join(cells), *lines[line + 1 :]])
            case 6:
                rng.shuffle(lines)
                content = b"\n".join(lines)
            case _:
                content = content[:start]
    return content


@contextmanager
def in_time() -> Iterator[None]:
    """An input that takes too long is a hang."""

    def late(*_: object) -> None:
        raise TimeoutError("an input took too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS_PER_INPUT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


TABLES = ["shop.csv", "shop.parquet", "turned.csv", "long.csv", "shop.csv.gz"]


@pytest.mark.parametrize("name", [*TABLES, "shop.yaml", "lift.csv"])
def test_a_mutated_file_is_read_or_refused(folder: Path, name: str) -> None:
    """No traceback of ours or a library's, no hang, no file made or changed anywhere below."""
    if name in TABLES:
        (folder / "shop.yaml").write_text(YAML.replace("data: shop.csv", f"data: {name}"))
    assert len(read_client("shop", folder)) == 60
    sound = (folder / name).read_bytes()
    others = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != name}
    refused = 0
    for seed in range(INPUTS):
        rng = random.Random(f"{name} {seed}")
        is_unpacked = name.endswith(".gz") and seed % 2  # else nearly all are no gzip files
        content = gzip.compress(mutated(gzip.decompress(sound), rng)) if is_unpacked else mutated(sound, rng)
        (folder / name).write_bytes(content)
        said = ""
        try:
            with in_time():
                read_client("shop", folder)
        except MMMError as error:
            refused, said = refused + 1, str(error)
        except Exception as error:
            pytest.fail(f"{name}, seed {seed}: {type(error).__name__}: {error}\n{content[:300]!r}")
        assert all(line.isprintable() for line in said.split("\n")), seed
    assert refused > INPUTS // 3  # a reader that takes everything refuses nothing
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != name} == others
    assert [path.name for path in folder.parent.iterdir()] == ["data"]
