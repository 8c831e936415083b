"""A command of another user, or under another umask, for a process of its own."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

import mmm_assets.definitions
import mmm_assets.storage.home_faults  # noqa: F401 (another user may not be able to import anything)
from mmm_assets.cli.app import main
from tests.assets.conftest import install, plain_page
from tests.assets.fake_engine import FakeSampler

NOBODY = 65534


def command(words: tuple[str, ...], folder: Path, umask: int | None = None, user: int | None = None) -> None:
    """Call the entry point; what it prints goes to ``folder/said``.

    Args:
        words: The command.
        folder: Where it says what it has to say.
        umask: Rights that new files are not to have; None for those of the caller.
        user: Id of the user whose rights it has; None for those of the caller.
    """
    opened = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor in (1, 2):
        os.dup2(opened, descriptor)
    patch = pytest.MonkeyPatch()
    install(FakeSampler(), patch)
    patch.setattr("mmm_assets.pages.reporting.render", plain_page)
    if umask is not None:
        os.umask(umask)
    if user is not None:
        _import_what_it_takes(words, folder)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    sys.argv = ["mmm", *words]
    main()


def command_that_ignores_interrupts(words: tuple[str, ...], folder: Path) -> None:
    """The same as a script starts it in the background: shells let such processes ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    command(words, folder)


def _import_what_it_takes(words: tuple[str, ...], folder: Path) -> None:
    """Call it once in a home of its own: another user may not be able to read the interpreter's modules."""
    home = os.environ["DAGSTER_HOME"]
    os.environ["DAGSTER_HOME"] = str(folder / "another-home")
    sys.argv = ["mmm", *words]
    with contextlib.suppress(SystemExit):
        main()
    os.environ["DAGSTER_HOME"] = home
    os.truncate(folder / "said", 0)
    os.lseek(1, 0, os.SEEK_SET)
