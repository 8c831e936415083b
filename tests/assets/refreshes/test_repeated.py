"""Refreshes in one process leave no objects behind; `make soak PARTS=repeated` does a hundred, and looks at memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.assets.conftest import append_weeks
from tests.soak.repeated import objects_of

PACKAGES = ("mmm_engine", "mmm_assets", "pandas", "pyarrow", "xarray", "duckdb", "matplotlib")


def test_a_refresh_leaves_no_objects_behind(refresh_again, data_dir, sampler):
    """No frame, table, fitted window or verdict of one refresh is alive after the next one."""
    fitted = "mmm_engine.posterior.fitted_window.FittedWindow"
    before, after = objects_of(PACKAGES)[fitted], []  # other tests of this process may keep some
    for _ in range(3):
        append_weeks(data_dir, "shop")
        assert refresh_again("shop", windows=("full", "h04")).succeeded
        sampler.settings.clear()
        after.append(objects_of(PACKAGES))
    assert after[1] - after[0] == {} or after[2] - after[1] == {}  # the first one may fill a cache
    assert after[2][fitted] <= before


_EIGHT_THREADS = """
import ctypes, sys, threading
import mmm_assets, pandas, pyarrow
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.fopen.restype = ctypes.c_void_p
together = threading.Barrier(8)
def work():
    together.wait()
    library.malloc(1000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
stream = ctypes.c_void_p(library.fopen(sys.argv[1].encode(), b"w"))
library.malloc_info(0, stream), library.fclose(stream)
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the C library of Linux")
def test_freed_memory_is_kept_in_few_places(tmp_path):
    """Not in one for each thread that ever ran, nor in Arrow's own: a process that stays grew by it at each refresh."""
    answer = subprocess.run(
        [sys.executable, "-c", _EIGHT_THREADS, str(tmp_path / "places")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "system"
    assert 1 <= (tmp_path / "places").read_text().count("<heap nr=") <= 2
