"""A history in an empty folder."""

import pytest

from mmm_engine.history.store import History


@pytest.fixture
def history(tmp_path):
    """A history that does not exist yet, in a folder that does not either."""
    return History(tmp_path / "home" / "metric_history.duckdb", patience=30)
