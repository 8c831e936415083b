"""What a client's files are, by content: has anything changed that a refresh could see?

Here: the files of a client, their cheap signature (time and size), their fingerprint (content and engine version).
Not here: what the files say (mmm_engine), what follows from a change (automation/sensors.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mmm_engine.client.client_file import inspect_client_config
from mmm_engine.client.config import check_client_id
from mmm_engine.version import ENGINE_VERSION

SOURCE = "source"  # metadata of client_data: fingerprint of the files that the rows were read from
_CHUNK = 1 << 20


def source_files(client: str, folder: Path) -> tuple[Path, ...]:
    """The client's YAML and the files that it names: rows, lift tests, the plan of media."""
    document = folder / f"{check_client_id(client)}.yaml"
    config, _ = inspect_client_config(document)
    named = () if config is None else (config.data, config.calibration, config.forecast.plan)
    return (document, *(folder / name for name in named if name))


def signature(paths: Iterable[Path]) -> list[int]:
    """Time of change and size of each file; equal as long as nobody has touched them."""
    numbers: list[int] = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            numbers += [0, -1]
        else:
            numbers += [stat.st_mtime_ns, stat.st_size]
    return numbers


def fingerprint(paths: Iterable[Path]) -> str:
    """16 hex digits of the content of the files and the version of the engine; a missing file counts as such."""
    digest = hashlib.sha256(ENGINE_VERSION.encode())
    for path in paths:
        digest.update(b"\0file\0")
        try:
            with path.open("rb") as handle:
                while chunk := handle.read(_CHUNK):
                    digest.update(chunk)
        except OSError:
            digest.update(b"\0missing\0")
    return digest.hexdigest()[:16]
