"""The terminal of the command line: exit codes, lines on standard output and standard error, consoles.

Here: where text goes and how wide it may be.
Not here: what is written (the commands), how a table looks (tables.py).
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

import typer

from mmm_engine.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Buffer

    from rich.console import Console

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
PLAIN_WIDTH = 120  # of a table that goes into a file or a pipe, where COLUMNS says nothing
LEAST_WIDTH = (
    60  # of a table: in a narrower one words are cut into letters, the terminal itself breaks lines better
)


def open_missing_streams() -> None:
    """Open a standard stream that the caller closed (``>&-``) on nothing.

    Otherwise the next file that is opened, such as a database, has its number, and what is printed is written there.
    """
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        try:
            os.fstat(number)
        except OSError:
            mode = "r" if number == 0 else "w"
            if (opened := os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)) != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 (as long as the process)


class _UntilReaderLeaves(io.FileIO):
    """A stream that goes nowhere from the moment that its reader has left, as ``head`` does."""

    def write(self, data: Buffer) -> int:
        """Write bytes; all of them count as written once nobody reads them."""
        try:
            return super().write(data) or 0
        except (BrokenPipeError, ConnectionResetError):
            _to_nothing(self.fileno())
            return memoryview(data).nbytes


def _to_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def _text_until_reader_leaves(descriptor: int, encoding: str, *, is_own: bool) -> io.TextIOWrapper:
    """Text whose lines are written at once; ``is_own`` closes the descriptor with it."""
    raw = _UntilReaderLeaves(descriptor, "w", closefd=is_own)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=True)


def outlive_readers() -> None:
    """From here on a reader of our output that leaves (``mmm refresh acme | head -1``) ends nothing.

    What a command is for is seldom what it prints: a refresh goes on to its end, and the exit code is its own.
    """
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        mode = os.fstat(descriptor).st_mode
        if not _writes_to(getattr(sys, name), descriptor):
            continue  # somebody collects what is printed
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            stream = getattr(sys, name)
            stream.flush()
            setattr(sys, name, _text_until_reader_leaves(descriptor, stream.encoding, is_own=False))


def _writes_to(stream: io.TextIOWrapper, descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        return stream.fileno() == descriptor
    return False


def output_fault(error: BaseException) -> str | None:
    """What is wrong with standard output, in words; None where an error has another reason.

    An error of writing says nothing of where: whether a line end can be written now tells.
    """
    if not isinstance(error, OSError) or error.filename is not None:
        return None
    with contextlib.suppress(OSError):
        os.write(1, b"\n")
        return None
    _to_nothing(1)  # Python would complain on its way out
    fault = Fault(
        "standard output",
        error.strerror or str(error),
        "a file or terminal that takes it",
        "send it elsewhere",
    )
    return f"mmm: {fault}"


def set_loudness(*, quiet: bool, verbose: bool) -> None:
    """How much is said beside what was asked for: warnings; errors alone; everything that the engine logs."""
    global _quiet
    _quiet = quiet
    if not (quiet or verbose):
        return
    import logging

    handler = (
        logging.StreamHandler()
    )  # the level is the handler's: Dagster sets those of loggers, for its own records
    handler.setLevel(logging.ERROR if quiet else logging.DEBUG)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    if verbose:
        for package in ("mmm_engine", "mmm_assets"):
            logging.getLogger(package).setLevel(logging.DEBUG)


_quiet = False


def is_quiet() -> bool:
    """Whether only errors are printed, and what was asked for."""
    return _quiet


def console() -> Console:
    """A console for output that is not mixed with running steps; in files and pipes it is as wide as COLUMNS says."""
    from rich.console import Console

    return Console(width=_width(sys.stdout.isatty()), highlight=False)


def step_proof_console(*, to_stderr: bool = False) -> Console:
    """A console whose output stays on the terminal while steps run.

    Dagster points the standard streams of a process at log files while a step runs; a copy of the descriptor made
    before that still reaches the terminal.
    """
    from rich.console import Console

    if _quiet:
        return Console(file=open(os.devnull, "w"), width=PLAIN_WIDTH)
    stream = sys.stderr if to_stderr else sys.stdout
    stream.flush()
    try:
        descriptor = os.dup(stream.fileno())
    except OSError:  # not a file of the operating system: a notebook, a test
        return Console(stderr=to_stderr, width=_width(stream.isatty()), highlight=False)
    copy = _text_until_reader_leaves(descriptor, "utf-8", is_own=True)
    return Console(file=copy, width=_width(copy.isatty()))


def _width(is_terminal: bool) -> int | None:
    """Width of a console; None is that of the terminal or, where there is none, what COLUMNS says."""
    said = os.environ.get("COLUMNS", "")
    if not is_terminal and not (said.isdecimal() and int(said) > 0):
        return PLAIN_WIDTH
    return LEAST_WIDTH if shutil.get_terminal_size().columns < LEAST_WIDTH else None


def write_whatever_the_encoding() -> None:
    """From here on a character that a terminal cannot write becomes its number (U+00FC) instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_parts(*parts: object) -> None:
    """Write text and tables to standard output, each on lines of its own."""
    screen = console()
    for part in parts:
        screen.print(part, markup=False, soft_wrap=isinstance(part, str))


def print_error(*lines: str) -> None:
    """Write lines to standard error."""
    for line in lines:
        typer.echo(line, err=True)
