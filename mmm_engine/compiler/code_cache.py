"""Machine code of formulas, compiled once per machine and kept on disk.

Here: `machine_code`: the stored code of a module where it is there and right, else code that is compiled and stored;
the folder, its files, and what is thrown away.
Not here: the text of a module (entry_points.py), the compiler (compile_process.py, object_code.py), the comparison
with numpy (self_check.py).

The key is what is compiled: a digest of the module's LLVM text and of what else object code depends on (processor,
LLVM's version). Text takes hundredths of a second to write, so that it is written at every start; a formula that was
edited after it was imported cannot pass for the one that runs. A file carries its key and the sizes of its function,
and a digest of everything in it: a file that was renamed, cut short or turned in a bit is not loaded.

Machine code is trusted as the program is: files (0600) and their folder (0700) belong to the user alone, and a file
that others own or can write is not loaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmm_engine.compiler.compile_process import CompilerFailure, compiled_apart
from mmm_engine.compiler.inputs import Signature
from mmm_engine.compiler.object_code import load, processor
from mmm_engine.errors import Fault, FitError

logger = logging.getLogger(__name__)

KEPT_DAYS = 90
"""A file that no process has loaded for so long is removed when another is stored."""
KEPT_FILES = 1000
"""Of more files the least recently used ones are removed; a model takes four of them, 5 to 100 kB each."""

_FOLDER = "machine_code"  # of the cache folder: nothing beside our own files is ever touched
_MAGIC = b"mmm machine code 2\n"
_DIGEST_BYTES = 32
_DAY = 86_400.0
_ABANDONED = 3_600.0  # seconds after which a file that is half written belongs to a process that is gone


@dataclass(frozen=True)
class MachineCode:
    """Functions in memory.

    Attributes:
        addresses: Of each function, in the order asked for.
        owner: With it the code goes.
        from_disk: Whether it was stored before.
    """

    addresses: tuple[int, ...]
    owner: Any
    from_disk: bool


def machine_code(
    name: str,
    text: str,
    functions: tuple[str, ...],
    signature: Signature,
    mismatch: Callable[[MachineCode], str | None],
) -> MachineCode:
    """The machine code of a module.

    Code is used only where it agrees with numpy at one point. Stored code that does not is compiled again; code that
    was just compiled and does not is compiled without optimisation. Unoptimised code is never stored.

    Args:
        name: Names the file.
        text: LLVM text of the module.
        functions: Names of the functions to call.
        signature: What they are called with.
        mismatch: Says what differs from the formula at one point; None where nothing does.

    Raises:
        FitError: If the compiler fails or its code does not compute the formula.
    """
    key = hashlib.sha256("\n".join([processor(), *functions, text]).encode()).hexdigest()
    path = cache_dir() / _FOLDER / f"{name}_{key[:24]}.o"
    header = {"key": key, "sizes": _sizes(signature)}
    stored = _read(path, header)
    if stored is not None:
        code = _loaded(stored, functions, from_disk=True)
        difference = mismatch(code)
        if difference is None:
            _mark_used(path)
            return code
        logger.warning("The machine code in %s is not its formula (%s): compiling again.", path, difference)
    logger.info("Compiling a model structure that this machine has not seen, once.")
    reasons = []
    for effort in ("full", "least"):
        try:
            compiled = compiled_apart(text, effort)
        except CompilerFailure as failure:
            reasons.append(f"with {effort} effort: {failure}")
            logger.warning("LLVM failed %s", reasons[-1])
            continue
        code = _loaded(compiled, functions, from_disk=False)
        difference = mismatch(code)
        if difference is not None:
            reasons.append(f"with {effort} effort: {difference}")
            logger.warning("Compiled code is not its formula %s", reasons[-1])
            continue
        if effort == "full":
            _keep(path, header, compiled)
        else:
            logger.warning(
                "The formula '%s' could only be compiled without optimisation: fits will be several times slower. "
                "The code is not kept, so that the next start tries again.",
                name,
            )
        return code
    raise FitError(f"the compiler of '{name}'", _compiler_fault(reasons))


def cache_dir() -> Path:
    """Where derived files of this machine are: `$MMM_CACHE_DIR`, else the user's cache folder."""
    chosen = os.environ.get("MMM_CACHE_DIR")
    base = (
        Path(chosen)
        if chosen
        else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mmm_engine"
    )
    return base.expanduser().resolve()


def _compiler_fault(reasons: list[str]) -> Fault:
    return Fault(
        "machine code",
        "; ".join(reasons),
        "code that computes the formula",
        "run the same command again; if that does not help, check that `python -c 'import llvmlite'` works and that "
        "memory is free, run `make install`, and report this message",
    )


def _sizes(signature: Signature) -> dict[str, Any]:
    """The signature as it stands in a file."""
    inputs = {layout.name: list(layout.sizes) for layout in signature.layouts}
    return {"flat": signature.size, "dynamic": list(signature.dynamic_axes), "inputs": inputs}


def _loaded(code: bytes, functions: tuple[str, ...], *, from_disk: bool) -> MachineCode:
    owner, addresses = load(code, functions)
    return MachineCode(addresses, owner, from_disk)


# --- files ----------------------------------------------------------------------------------------


def _read(path: Path, header: dict[str, Any]) -> bytes | None:
    """Stored machine code, None where there is none or it is not what was written for this key."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            private = _belongs_to_user(found) and (
                os.name != "posix" or not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            )
            stored = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        logger.warning("Machine code cannot be read, and is compiled again: %s", error)
        return None
    if not private:
        logger.warning("The machine code in %s can be written by others: compiling again.", path)
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        logger.warning("The machine code in %s is damaged: compiling again.", path)
        return None
    head, code = _packed(header), content[len(_packed(header)) :]
    if not content.startswith(head):
        logger.warning("The machine code in %s is that of another formula: compiling again.", path)
        return None
    return code


def _belongs_to_user(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's own; where users have no ids, every one is."""
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _packed(header: dict[str, Any]) -> bytes:
    """What a file begins with, behind the digest: its format, key and sizes."""
    return _MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n"


def _keep(path: Path, header: dict[str, Any], code: bytes) -> None:
    """Stored whole or not at all; a folder that cannot be written costs the next process a compilation."""
    content = _packed(header) + code
    temporary = None
    try:
        path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        if not _belongs_to_user(path.parent.stat()):
            logger.warning(
                "Machine code is not kept, so that each process compiles it again: %s belongs to another user (id %s). "
                "Set MMM_CACHE_DIR to a folder of your own, or delete that one.",
                path.parent,
                path.parent.stat().st_uid,
            )
            return
        path.parent.chmod(0o700)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)  # made with mode 0600
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
        _prune(path.parent)
    except OSError as error:
        logger.warning("Machine code is not kept: %s", error)
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _mark_used(path: Path) -> None:
    """Notes that a file was used, by its time of modification, once a day."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _DAY:
            os.utime(path)


def _prune(folder: Path) -> None:
    """Removes files that were not used for `KEPT_DAYS`, then all but the `KEPT_FILES` used last."""
    now, files = time.time(), []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may have removed it
            age = now - path.stat().st_mtime
            if path.suffix == ".tmp" and age > _ABANDONED:
                path.unlink()
            elif path.suffix == ".o":
                files.append((age, path))
    for rank, (age, path) in enumerate(sorted(files)):
        if age > KEPT_DAYS * _DAY or rank >= KEPT_FILES:
            with suppress(OSError):
                path.unlink()
