"""Refreshes in one process leave no objects behind; `make soak PARTS=repeated` does a hundred, and looks at memory."""

from __future__ import annotations

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
