"""What a refresh leaves in Dagster's records: what an operator looks at, and not much more."""

import dagster as dg
import pytest

from tests.assets.conftest import CLIENTS
from tests.soak import records


@pytest.fixture
def last_metadata(used_home, open_home):
    """The metadata of the last materialisation of a partition of an asset."""
    instance = open_home(used_home)

    def read(asset, partition):
        latest = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[partition])
        (record,) = instance.fetch_materializations(latest, limit=1).records
        return record.asset_materialization.metadata

    return read


def test_tables_are_shown_of_the_window_that_people_act_on(last_metadata):
    """Every window has its scores as numbers, the window of all rows its results as tables too."""
    for asset in ("channel_returns", "response_curves", "predictions", "parameters"):
        assert last_metadata(asset, "shop|full")["rows"].records
        assert set(last_metadata(asset, "shop|h04")) == {"folder"}
    assert last_metadata("holdout_metrics", "shop|h04")["test_mape"].value > 0


def test_a_refresh_is_about_a_megabyte_of_records(used_home):
    """Two and a half before; SQLite keeps events of assets twice, among those of the run and of all."""
    summary = records.summary(used_home)
    assert summary["refreshes"] == len(CLIENTS)
    assert summary["kb_a_refresh_in_all"] < 1_600
    number, length = summary["events_number_and_bytes"]["ASSET_MATERIALIZATION"]
    assert length / number < 4_000
