"""The process in which LLVM runs: a fault, or a hang, in the compiler must not cost the caller its life.

Here: `compiled_apart`, from LLVM text to object code in a process of its own.
Not here: what runs in it (object_code.py), what is done when it fails (code_cache.py).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import llvmlite

from mmm_engine.compiler import object_code

COMPILE_SECONDS = 300.0
"""A module takes one to three seconds; more than this is a hang, also on a busy machine."""


class CompilerFailure(Exception):  # noqa: N818  (caught by the cache, which raises a FitError)
    """The compiler's process did not give object code."""


def compiled_apart(text: str, effort: str) -> bytes:
    """Object code of a module.

    The process is started with the absolute path of its file and with `-I`: neither the current folder nor
    `PYTHONPATH` nor the user's own packages can put a module of their own in the place of one that it imports. It
    needs llvmlite alone, from the folder from which this process has it.

    Args:
        text: LLVM text.
        effort: "full" or "least" (object_code.py).

    Raises:
        CompilerFailure: If the process cannot be started, fails, or takes longer than `COMPILE_SECONDS`.
    """
    if not sys.executable:
        raise CompilerFailure("this program has no Python interpreter of its own to start")
    script, packages = Path(object_code.__file__).resolve(), Path(llvmlite.__file__).resolve().parents[1]
    command = [sys.executable, "-I", str(script), effort, str(packages)]
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=COMPILE_SECONDS,
            cwd=script.parent,
        )
    except subprocess.TimeoutExpired:
        raise CompilerFailure(f"not done after {COMPILE_SECONDS:.0f} s") from None
    except OSError as error:
        raise CompilerFailure(f"{sys.executable} cannot be started: {error}") from None
    if done.returncode == 0 and done.stdout:
        return done.stdout
    message = done.stderr.decode(errors="replace").strip()
    raise CompilerFailure(f"exit code {done.returncode}: {message[-500:]}")
