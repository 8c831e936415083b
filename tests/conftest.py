"""Settings of every test, and folders that all worker processes of a run share.

Hypothesis' examples do not change from run to run, and have no deadline on a busy machine. PyTensor, which computes
references only, interprets its graphs: with numba each of them takes seconds to compile.
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("PYTENSOR_FLAGS", "mode=FAST_COMPILE")
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

Once = Callable[[str, Callable[[Path], object]], Path]
"""Gets the name of a folder and a function that fills it; returns the folder, filled."""


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Folders that take long to fill: the first worker that asks fills one, the others wait and read."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder of its own in the folder of the run

    def filled(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with open(root / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # a worker failed half-way
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return filled
