"""ClientData: the doors to it, what it gives, and that it is the same whichever door the rows came through."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.client.client_file import client_config_from_mapping, write_client_config
from mmm_engine.errors import ConfigError, DataError
from mmm_engine.rows.client_data import client_data_from_frame, read_client, read_client_data
from tests.engine.client_cases import shop_config, shop_rows, with_cell

PUBLIC = Path(__file__).parents[4] / "shared" / "data"
needs_public_data = pytest.mark.skipif(
    not PUBLIC.is_dir(), reason="../shared/data is not beside the checkout"
)


@pytest.fixture
def folder(tmp_path):
    """A data folder with the sound client."""
    write_client_config(shop_config(), tmp_path / "shop.yaml")
    shop_rows().to_csv(tmp_path / "shop.csv", index=False)
    return tmp_path


def test_a_client_is_read_from_its_two_files(folder):
    """Shapes, order, units and names of what the model gets."""
    data = read_client("shop", folder)
    rows = shop_rows()
    assert len(data) == 60
    assert data.period == "week"
    assert list(data.frame.columns) == ["date", "revenue", "tv", "radio", "price"]
    assert str(data.frame["date"].dtype) == "datetime64[ns]"
    assert data.frame.drop(columns="date").dtypes.eq("float64").all()
    assert data.dates.name == "date"
    assert np.array_equal(data.target, rows["revenue"].astype(float))
    assert np.array_equal(data.media, rows[["tv", "radio"]].astype(float))
    assert np.array_equal(data.spend, data.media)
    assert data.controls.shape == (60, 1)
    assert read_client_data(shop_config(), folder).data_version == data.data_version


def test_spend_is_the_cost_column_where_a_channel_has_one():
    """Views are media, euros are spend."""
    config = shop_config(
        channels=["tv", {"column": "radio", "unit": "spots", "cost": "radio_cost"}], controls=[]
    )
    data = client_data_from_frame(config, shop_rows().assign(radio_cost=np.arange(60.0)))
    assert np.array_equal(data.spend[:, 1], np.arange(60.0))
    assert np.array_equal(data.media[:, 1], shop_rows()["radio"].astype(float))
    assert data.controls.shape == (60, 0)


def test_arrays_are_copies():
    """Nothing a caller does to an array reaches the rows."""
    data = client_data_from_frame(shop_config(), shop_rows())
    data.target[:] = 0
    data.media[:] = 0
    assert data.target.all()
    assert data.media.any()


def test_csv_parquet_and_frames_give_the_same_rows_and_version(folder):
    """The version belongs to the rows, not to the file; names, values and dates all count."""
    data = read_client("shop", folder)
    shop_rows().astype({"revenue": float, "tv": float, "radio": float, "price": float}).to_parquet(
        folder / "p.parquet"
    )
    parquet = read_client_data(shop_config(data="p.parquet"), folder)
    typed = shop_rows().assign(week=lambda frame: pd.to_datetime(frame["week"])).convert_dtypes()
    frame = client_data_from_frame(shop_config(), typed)
    stored = client_data_from_frame(shop_config(), data.frame)
    for other in (parquet, frame, stored):
        pd.testing.assert_frame_equal(other.frame, data.frame)
        assert other.data_version == data.data_version
    changed = [
        with_cell("tv", 9, 3)(shop_rows()),
        shop_rows().assign(week=lambda frame: pd.to_datetime(frame["week"]) + pd.Timedelta(days=1)),
        shop_rows(59),
    ]
    versions = {client_data_from_frame(shop_config(), rows).data_version for rows in changed} | {
        data.data_version
    }
    assert len(versions) == 4


def test_order_of_columns_does_not_change_the_version():
    """The same rows under the same names are the same data."""
    turned = shop_config(channels=["radio", "tv"])
    data, other = (client_data_from_frame(config, shop_rows()) for config in (shop_config(), turned))
    assert other.data_version == data.data_version
    assert np.array_equal(other.media, data.media[:, ::-1])


def test_cuts_keep_the_first_rows_and_nothing_later():
    """Rows, calendar and version are those of the first rows."""
    data = client_data_from_frame(shop_config(), shop_rows())
    cut = data.first(9)
    assert cut.dates.max() == pd.Timestamp("2022-02-28")
    assert (len(cut), len(cut.calendar)) == (9, 9)
    assert client_data_from_frame(shop_config(), shop_rows()).first(9).data_version == cut.data_version
    assert cut.data_version != data.data_version
    assert cut.findings == data.findings
    assert len(data) == 60


def test_faults_of_rows_name_client_and_file(folder):
    """Who, and in which file."""
    with_cell("tv", 9, "abc")(shop_rows()).to_csv(folder / "shop.csv", index=False)
    with pytest.raises(
        DataError, match=r"^client 'shop', shop.csv: column 'tv', row 9 \(2022-02-21\): found the text"
    ):
        read_client("shop", folder)
    with pytest.raises(
        DataError, match=r"^client 'shop', rows given as a frame: column 'tv', row 8 \(2022-02-21\)"
    ):
        client_data_from_frame(shop_config(), with_cell("tv", 9, "abc")(shop_rows()))


def test_faults_of_both_files_come_in_one_message(folder):
    """What is sound in the client file is enough to look at the rows in the same pass."""
    (folder / "shop.yaml").write_text(
        (folder / "shop.yaml").read_text().replace("draws: 1000", "draws: many")
    )
    with_cell("tv", 9, "abc")(shop_rows()).to_csv(folder / "shop.csv", index=False)
    with pytest.raises(ConfigError) as caught:
        read_client("shop", folder)
    lines = str(caught.value).splitlines()
    assert lines[0] == "client 'shop': 2 faults"
    assert lines[1].startswith("  1. shop.yaml, setting 'sampler.draws' (line ")
    assert lines[2].startswith("  2. shop.csv, column 'tv', row 9 (2022-02-21): found the text 'abc'")


def test_faults_of_a_client_file_that_says_too_little_come_alone(folder):
    """Without a target there is nothing to check the rows against."""
    (folder / "shop.yaml").write_text("client: shop\ndata: shop.csv\n")
    with pytest.raises(ConfigError, match="client 'shop': 3 faults"):
        read_client("shop", folder)
    with pytest.raises(ConfigError, match="found no such file"):
        read_client("shopp", folder)
    with pytest.raises(ConfigError, match="found the client id"):
        read_client("../shop", folder)


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path_factory):
    """Settings made in memory are held to the folder too."""
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    shop_rows().to_csv(outside, index=False)
    (folder / "link.csv").symlink_to(outside)
    with pytest.raises(DataError, match="found a path that leaves the data folder"):
        read_client_data(shop_config(data="link.csv"), folder)


@given(st.permutations(range(30)), st.floats(0.01, 1e9))
def test_permuted_rows_are_the_same_data(order, scale):
    """Neither values nor version depend on the order of rows in a file."""
    frame = shop_rows(30).assign(tv=lambda rows: rows["tv"].astype(float) * scale)
    straight = client_data_from_frame(shop_config(), frame)
    shuffled = client_data_from_frame(shop_config(), frame.iloc[order])
    assert shuffled.data_version == straight.data_version
    pd.testing.assert_frame_equal(shuffled.frame, straight.frame)


@given(st.lists(st.floats(0, 1e12), min_size=28, max_size=40).filter(lambda spend: len(set(spend)) > 3))
def test_rows_that_were_written_read_back_the_same(tmp_path_factory, spend):
    """No digit is lost between a frame, a CSV file and Parquet."""
    folder = tmp_path_factory.mktemp("data")
    data = client_data_from_frame(shop_config(), shop_rows(len(spend)).assign(tv=spend))
    stored = data.frame.rename(columns={"date": "week"})
    stored.to_csv(folder / "shop.csv", index=False)
    stored.to_parquet(folder / "shop.parquet")
    for name in ("shop.csv", "shop.parquet"):
        again = read_client_data(shop_config(data=name), folder)
        assert again.data_version == data.data_version
        pd.testing.assert_frame_equal(again.frame, data.frame)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_file_gives_data_or_a_data_error(tmp_path_factory, content):
    """Garbage under the header of the client never raises anything else."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "shop.csv").write_bytes(b"week,revenue,tv,radio,price\n" + content)
    with pytest.raises(DataError):
        read_client_data(shop_config(), folder)


def test_reading_a_client_imports_nothing_heavy():
    """The check of a client takes seconds: no PyMC, no Dagster, no Plotly."""
    code = (
        "import sys, mmm_engine.rows.client_data, mmm_engine.simulation.client; "
        "print([name for name in ('pymc', 'pymc_marketing', 'pytensor', 'numba', 'arviz', 'dagster', 'plotly', "
        "'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def public(folder, file, **settings):
    """A public client."""
    config = client_config_from_mapping({"client": "public", "data": file, **settings})
    return read_client_data(config, PUBLIC / folder)


@needs_public_data
def test_the_public_retailer_is_sound():
    """80 columns, strong peaks before Christmas that return every year and are no outliers."""
    header = (PUBLIC / "retail" / "data.csv").read_text().splitlines()[0].split(",")
    channels = [name for name in header if name.startswith("mdsp_")]
    holidays = ["hldy_Black Friday", "hldy_Cyber Monday", "hldy_Christmas Day"]
    for controls in ([], ["me_ics_all", "me_gas_dpg", "st_ct", "mrkdn_pdm", *holidays]):
        data = public(
            "retail", "data.csv", date="wk_strt_dt", target="sales", channels=channels, controls=controls
        )
        assert (len(data), data.period) == (209, "week")
        # the number of shops does stand still for the last 35 weeks, and the year has a rhythm that channels share
        assert {finding.code for finding in data.findings} <= {"frozen-tail", "yearly-cycle"}


@needs_public_data
def test_the_public_weekly_simulations_are_sound():
    """Dates with quotes, text columns that nobody uses, dummies, a yearly cycle, holidays that nobody names."""
    robyn = public(
        "robyn_weekly", "dt_simulated_weekly.csv", date="DATE", target="revenue",
        channels=["tv_S", "ooh_S", "print_S", "facebook_S", "search_S"], controls=["competitor_sales_B", "newsletter"],
    )  # fmt: skip
    assert (len(robyn), robyn.period) == (208, "week")
    (peaks,) = robyn.findings  # its sales rise at Easter, in May and at Christmas
    assert peaks.code == "recurring-outlier"
    assert "2017-04-17" in peaks.message
    assert "2017-12-25" in peaks.message
    example = public(
        "mmm_example", "mmm_example.csv", date="date_week", target="y",
        channels=["x1", "x2"], controls=["event_1", "event_2"],
    )  # fmt: skip
    assert (len(example), example.period) == (179, "week")
    assert [finding.code for finding in example.findings] == ["yearly-cycle"]
    with pytest.raises(
        DataError, match=r"column 'events', row 2 .*: found a missing value|found the text 'na'"
    ):
        public(
            "robyn_weekly", "dt_simulated_weekly.csv", date="DATE", target="revenue", channels=["tv_S"],
            controls=["events"],
        )  # fmt: skip
