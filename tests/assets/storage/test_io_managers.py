"""What is stored comes back, appears in one step, and stays inside the home."""

import json
import os
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from mmm_assets.partitions import ONE_RUN, client_x_window, clients, range_tags
from mmm_assets.storage.io_managers import (
    ClientDataFiles,
    FrameFiles,
    HtmlFiles,
    JsonFiles,
    PosteriorFiles,
    ScaledInputsFiles,
    StoredFileError,
    read_frame,
    write_frame,
)
from mmm_engine.client.windows import FULL, Window
from mmm_engine.errors import ConfigError

HOSTILE = [
    "../evil",
    "..",
    ".",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "A",
    "",
    " ",
    "a b",
    "%2e%2e",
    "ms\n",
    "ms\0",
    "x" * 64,
    "é",
]


@pytest.fixture
def root(tmp_path):
    """A home for files."""
    return str(tmp_path / "home")


def test_client_data_comes_back_with_findings_and_versions(root, data_dir):
    """Rows, settings, findings, period and versions survive Parquet."""
    from mmm_engine.rows.client_data import read_client

    data = read_client("shop", data_dir)
    files = ClientDataFiles(root=root)
    path = files.write("client_data", "shop", data)
    again = files.read("client_data", "shop")
    pd.testing.assert_frame_equal(again.frame, data.frame)
    assert (again.config, again.findings, again.period) == (data.config, data.findings, data.period)
    assert (again.data_version, again.config.config_version) == (
        data.data_version,
        data.config.config_version,
    )
    assert path.relative_to(root).as_posix() == "storage/client_data/shop.parquet"


def test_scaled_inputs_come_back_and_show_their_scales_as_json(root, data_dir):
    """The Parquet file alone is enough; the JSON beside it is for people."""
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.window import scale_window

    inputs = scale_window(read_client("shop", data_dir), Window.holding_out(8))
    files = ScaledInputsFiles(root=root)
    path = files.write("scaled_inputs", "shop|h08", inputs)
    scales = json.loads(path.with_suffix(".json").read_text())
    assert scales["scales"]["target"] == inputs.scales.target
    path.with_suffix(".json").unlink()
    again = files.read("scaled_inputs", "shop|h08")
    np.testing.assert_array_equal(again.media_scaled, inputs.media_scaled)
    assert (again.scales, again.train_rows, again.horizon, again.cutoff) == (
        inputs.scales,
        52,
        8,
        inputs.cutoff,
    )


def test_lift_tests_of_stored_windows_are_values_and_their_record_is_plain_json(root, data_dir):
    """The record in the Parquet file is a mapping of values, not text inside of text."""
    from mmm_engine.client.lift_test_config import LiftTest
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.window import scale_window

    test = LiftTest(channel="tv", date="2023-02-06", x=10.0, delta_x=5.0, delta_y=100.0, sigma=20.0)
    data = read_client("shop", data_dir)
    inputs = scale_window(replace(data, config=data.config.with_lift_tests([test])), Window.holding_out(8))
    files = ScaledInputsFiles(root=root)
    path = files.write("scaled_inputs", "shop|h08", inputs)
    assert read_frame(path)[1]["config"]["lift_tests"] == [test.model_dump()]
    assert files.read("scaled_inputs", "shop|h08").config.lift_tests == (test,)


def test_windows_stored_by_earlier_versions_are_read(root, data_dir):
    """They kept their record as JSON text inside the JSON of the file."""
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.window import scale_window

    inputs = scale_window(read_client("shop", data_dir), Window.holding_out(8))
    files = ScaledInputsFiles(root=root)
    path = files.write("scaled_inputs", "shop|h08", inputs)
    write_frame(inputs.frame(), path, {"scales_json": json.dumps(inputs.record())})
    again = files.read("scaled_inputs", "shop|h08")
    assert (again.config, again.scales, again.calendar.period) == (inputs.config, inputs.scales, "week")
    np.testing.assert_array_equal(again.dates, inputs.dates)


def test_a_posterior_comes_back_with_both_groups_and_its_attributes(root):
    """NetCDF keeps groups, coordinates and attributes."""
    values = np.arange(24.0).reshape(2, 3, 4)
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {"beta": (("chain", "draw", "channel"), values)}, coords={"channel": list("abcd")}
            ),
            "sample_stats": xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, 3), dtype=bool))}),
        }
    )
    tree.attrs = {"client": "ms", "seed": 3}
    files = PosteriorFiles(root=root)
    files.write("fitted_posterior", "ms|full", tree)
    again = files.read("fitted_posterior", "ms|full")
    xr.testing.assert_identical(again["posterior"].to_dataset(), tree["posterior"].to_dataset())
    assert again["sample_stats"]["diverging"].dtype == bool
    assert (again.attrs["client"], int(again.attrs["seed"])) == ("ms", 3)


def test_a_frame_comes_back_with_what_it_belongs_to(root):
    """NaN stays NaN, and attrs say which fit a frame was read from."""
    frame = pd.DataFrame({"metric": ["mape", "crps"], "value": [0.1, np.nan]})
    frame.attrs = {"fit_id": "a1", "window": "full"}
    files = FrameFiles(root=root)
    files.write("holdout_metrics", "ms|full", frame)
    again = files.read("holdout_metrics", "ms|full")
    pd.testing.assert_frame_equal(again, frame)
    assert again.attrs == frame.attrs


def test_pages_and_plain_values_come_back(root):
    """HTML as text, JSON as values; an asset without partitions is named after itself."""
    pages, values = HtmlFiles(root=root), JsonFiles(root=root)
    assert pages.write("portfolio", None, "<p>é</p>").name == "portfolio.html"
    assert pages.read("portfolio") == "<p>é</p>"
    values.write("receipt", "ms", [{"rows": 3}])
    assert values.read("receipt", "ms") == [{"rows": 3}]


@pytest.mark.parametrize("client", HOSTILE)
def test_a_hostile_client_id_never_becomes_a_path(root, client):
    """Partition keys can be typed into the UI."""
    for key in (client, f"{client}|full"):
        with pytest.raises((ConfigError, ValueError)):
            FrameFiles(root=root).path("report", key)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=80))
def test_whatever_the_key_a_path_stays_inside_its_asset(key):
    """Either the key is refused, or the file lies one or two steps below the asset's folder."""
    try:
        path = FrameFiles(root="/home/of/dagster").path("report", key)
    except (ConfigError, ValueError):
        return
    inside = os.path.normpath(path).removeprefix("/home/of/dagster/storage/report/")
    assert not inside.startswith(("/", ".."))
    assert len(inside.split("/")) <= 2


def test_a_write_that_breaks_off_leaves_the_old_file(root, monkeypatch):
    """Readers see the old value or the new one, and no temporary file stays behind."""
    files = JsonFiles(root=root)
    path = files.write("receipt", "ms", {"rows": 1})
    monkeypatch.setattr(JsonFiles, "_dump", lambda self, value, path: (path.write_text("{"), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        files.write("receipt", "ms", {"rows": 2})
    assert files.read("receipt", "ms") == {"rows": 1}
    assert [entry.name for entry in path.parent.iterdir()] == ["ms.json"]


def test_a_missing_or_damaged_file_says_what_to_do(root):
    """The message names the file and the asset to materialise."""
    files = FrameFiles(root=root)
    with pytest.raises(
        StoredFileError,
        match=r"ms/full.parquet: nothing stored yet; materialise 'holdout_metrics'",
    ):
        files.read("holdout_metrics", "ms|full")
    files.write("holdout_metrics", "ms|full", pd.DataFrame({"value": [1.0]})).write_bytes(b"PAR1 torn")
    with pytest.raises(
        StoredFileError,
        match=r"cannot be read \(.*\), moved to .*quarantine.*; materialise 'holdout_metrics' of ms\|full again",
    ):
        files.read("holdout_metrics", "ms|full")
    (kept,) = (Path(root) / "quarantine" / "storage" / "holdout_metrics" / "ms").iterdir()
    assert kept.read_bytes() == b"PAR1 torn"
    assert not files.has("holdout_metrics", "ms|full")


def test_a_turned_bit_in_a_stored_frame_is_damage(root):
    """Numbers that were never computed are not read: pages carry checksums."""
    files = FrameFiles(root=root)
    values = pd.DataFrame({"value": [1.0 + n / 7 for n in range(100)]})
    path = files.write("holdout_metrics", "ms|full", values)
    content = bytearray(path.read_bytes())
    content[400] ^= 0x10  # amid the numbers, which come first in the file
    path.write_bytes(content)
    with pytest.raises(StoredFileError, match=r"cannot be read \(.*\), moved to .*quarantine"):
        files.read("holdout_metrics", "ms|full")


@pytest.mark.parametrize(
    "error", [MemoryError(), PermissionError(13, "no"), OSError(24, "too many open files")]
)
def test_a_file_that_the_system_could_not_read_is_no_damaged_file(root, monkeypatch, error):
    """Short of memory, rights or file handles: the file stays where it is."""
    files = JsonFiles(root=root)
    path = files.write("receipt", "ms", {"rows": 1})

    def fail(self, path):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(JsonFiles, "_load", fail)
        with pytest.raises(StoredFileError, match="cannot be read"):
            files.read("receipt", "ms")
    assert path.is_file()
    assert files.read("receipt", "ms") == {"rows": 1}


def test_nothing_is_stored_when_a_window_of_the_run_is_missing(root, tmp_path):
    """One window's value never stands for all of them."""

    @dg.asset(partitions_def=client_x_window, backfill_policy=ONE_RUN)
    def values(context: dg.AssetExecutionContext) -> dict[str, int]:
        return {"ms|full": 1}

    files = JsonFiles(root=root)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions(str(clients.name), ["ms"])
        result = dg.materialize(
            [values],
            instance=instance,
            tags=range_tags("ms", FULL, Window.holding_out(4)),
            resources={"io_manager": files},
            raise_on_error=False,
        )
    assert not result.success
    assert not files.has("values", "ms|full")


def test_a_run_of_one_window_and_a_run_of_several_look_alike_to_an_asset(root, tmp_path):
    """Values of windows always travel as a mapping from key to value."""
    seen = []

    @dg.asset(partitions_def=client_x_window, backfill_policy=ONE_RUN)
    def first(context: dg.AssetExecutionContext) -> dict[str, str]:
        return {key: key for key in context.partition_keys}

    @dg.asset(partitions_def=client_x_window, backfill_policy=ONE_RUN)
    def second(context: dg.AssetExecutionContext, first: dict[str, str]) -> dict[str, str]:
        seen.append(first)
        return first

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_dynamic_partitions(str(clients.name), ["ms"])
        resources = {"io_manager": JsonFiles(root=root)}
        assert dg.materialize(
            [first, second], instance=instance, partition_key="ms|h04", resources=resources
        ).success
        tags = range_tags("ms", FULL, Window.holding_out(8))
        assert dg.materialize([first, second], instance=instance, tags=tags, resources=resources).success
    assert seen == [{"ms|h04": "ms|h04"}, {key: key for key in ("ms|full", "ms|h04", "ms|h08")}]
