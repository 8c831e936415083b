"""Machine code of formulas, compiled once per machine and kept on disk.

Here: `machine_code`, the folder it is kept in, and what a formula's arrays look like to it.
Not here: formulas (kernel.py, forward.py), how machine code comes about (compiler/).
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mmm_engine.compiler.object_code import load, object_code, processor

logger = logging.getLogger(__name__)

_DIGEST_BYTES = 32


@dataclass(frozen=True)
class MachineCode:
    """Functions in memory.

    Attributes:
        addresses: Of each function, in the order asked for.
        owner: With it the code goes.
        from_disk: Whether it was found on disk.
    """

    addresses: tuple[int, ...]
    owner: Any
    from_disk: bool


def machine_code(what: str, key: str, functions: tuple[str, ...], write: Callable[[], str]) -> MachineCode:
    """The machine code of a formula for a structure.

    Args:
        what: Name of the formula.
        key: What else tells it apart from others of that name.
        functions: Names of the functions wanted.
        write: Returns the LLVM text; called only where the machine code is not on disk.
    """
    digest = hashlib.sha256("\n".join([key, what, _build_stamp()]).encode()).hexdigest()[:24]
    path = cache_dir() / f"{what}_{digest}.o"
    code = _read(path)
    from_disk = code is not None
    if code is None:
        logger.info("Compiling a model structure that this machine has not seen, once.")
        code = _translate(write())
        _keep(path, code)
    owner, addresses = load(code, functions)
    return MachineCode(addresses, owner, from_disk)


def cache_dir() -> Path:
    """Where machine code is kept: `$MMM_CACHE_DIR`, else the user's cache folder."""
    given = os.environ.get("MMM_CACHE_DIR")
    base = (
        Path(given)
        if given
        else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmm_engine"
    )
    return base.expanduser().resolve()


def _translate(text: str) -> bytes:
    """Object code, made by a process of its own: a fault in the compiler must not cost the caller its life."""
    for effort in ("full", "least"):
        command = [sys.executable, "-m", "mmm_engine.compiler.object_code", effort]
        try:
            done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        except OSError:
            return object_code(text)
        if done.returncode == 0:
            return done.stdout
        logger.warning("LLVM failed with %s effort: %s", effort, done.stderr.decode(errors="replace")[-500:])
    return object_code(text, "least")


def _read(path: Path) -> bytes | None:
    """Stored machine code, None where there is none or it is not what was written."""
    try:
        stored = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        logger.warning("Machine code cannot be read, and is compiled again: %s", error)
        return None
    digest, code = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(code).digest() == digest:
        return code
    logger.warning("The machine code in %s is damaged: compiling again.", path)
    return None


def _keep(path: Path, code: bytes) -> None:
    """Stored whole or not at all; a folder that cannot be written costs the next process a compilation."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(file.name, path)
    except OSError as error:
        logger.warning("Machine code is not kept: %s", error)


@cache
def _build_stamp() -> str:
    """What machine code depends on beside the structure: processor, compiler and the formulas themselves."""
    libraries = [f"{name}={version(name)}" for name in ("llvmlite", "numpy")]
    engine = Path(__file__).parents[1]
    sources = [path for wing in _FORMULA_WINGS for path in sorted((engine / wing).glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return "\n".join([processor(), *libraries, digest])


_FORMULA_WINGS = ("compiler", "model", "posterior", "results")
