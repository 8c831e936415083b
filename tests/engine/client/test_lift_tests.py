"""Lift tests: a table beside the client file, its faults, and the values that come of it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mmm_engine.client.client_file import (
    client_config_from_mapping,
    inspect_client_config,
    read_client_config,
    write_client_config,
)
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.client.lift_tests import lift_test_frame, read_lift_tests
from mmm_engine.errors import ConfigError
from mmm_engine.files.table import table_from_frame
from tests.engine.client_cases import SHOP, faults_of_settings, read_shop


def test_lift_tests_come_from_a_table_beside_the_client_file(tmp_path: Path) -> None:
    """Rows of the table are settings; they count for the version of the settings, the name of the table does not."""
    rows = "channel,date,x,delta_x,delta_y,sigma\ntv,2022-03-07,10,5,100,20\n"
    (tmp_path / "lift.csv").write_text(rows)
    (tmp_path / "other.csv").write_text(rows)
    config = read_shop(tmp_path, "calibration: lift.csv\n")
    assert [test.delta_y for test in config.lift_tests] == [100.0]
    assert read_shop(tmp_path, "calibration: other.csv\n").config_version == config.config_version
    assert read_shop(tmp_path, "").config_version != config.config_version


LIFT_ROWS = "channel,date,x,delta_x,delta_y,sigma\ntv,2022-03-07,10,5,100,20\nradio,2022-03-14,10,5,100,20\n"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("radio,", "radoi,", "lift.csv, column 'channel', row 3: found 'radoi'; wanted one of tv, radio; did you mean "
         "'radio'?"),
        ("2022-03-14", "soon", "lift.csv, column 'date', row 3: found 'soon'"),
        ("10,5,100,20\nradio", "10,5,much,20\nradio", "lift.csv, column 'delta_y', row 2 (2022-03-07): found the text "
         "'much'; wanted a number"),
        ("tv,2022-03-07,10", "tv,2022-03-07,-1", "lift.csv, column 'x', row 2 (2022-03-07): found -1; wanted 0 or "
         "more; correct the row of this test"),
        ("10,5,", "10,-11,", "lift.csv, column 'delta_x', row 2 (2022-03-07): found -11 (and in 1 more row: 3); wanted "
         "a change, to not less than 0; correct the row of this test"),
        (",20\n", ",0\n", "lift.csv, column 'sigma', row 2 (2022-03-07): found 0 (and in 1 more row: 3); wanted a "
         "standard error above 0; correct the row of this test"),
        ("channel", "chanel", "lift.csv, column 'channel': found no such column; wanted the columns channel, date, x, "
         "delta_x, delta_y, sigma; did you mean 'chanel'?"),
        (LIFT_ROWS[37:], "", "lift.csv, the file: found a header and no rows; wanted one row a test; export the data "
         "again"),
    ],
)  # fmt: skip
def test_a_faulty_table_of_lift_tests_is_named_with_its_row(tmp_path, old, new, fault):
    """Like the faults of the client's rows: file, column, row, what to do."""
    (tmp_path / "lift.csv").write_text(LIFT_ROWS.replace(old, new))
    (found,) = faults_of_settings(tmp_path, SHOP + "calibration: lift.csv\n")
    assert found.startswith(fault)


def test_a_table_of_lift_tests_must_be_there_inside_the_folder_and_alone(tmp_path):
    """No such file; a link that leads out; tests in the client file as well."""
    (fault,) = faults_of_settings(tmp_path, SHOP + "calibration: none.csv\n")
    assert fault == (
        "none.csv, the file: found no such file; wanted a file with rows; put it there or correct 'calibration' in the "
        "client file"
    )
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "out.csv").write_text(LIFT_ROWS)
    (folder / "in.csv").write_text(LIFT_ROWS)
    (folder / "link.csv").symlink_to(tmp_path / "out.csv")
    (fault,) = faults_of_settings(folder, SHOP + "calibration: link.csv\n")
    assert fault.startswith("setting 'calibration' (line 7): found a path that leaves the data folder")
    test = "{channel: tv, date: 2022-01-01, x: 1, delta_x: 1, delta_y: 1, sigma: 1}"
    (fault,) = faults_of_settings(folder, SHOP + f"calibration: in.csv\nlift_tests: [{test}]\n")
    assert "(line 7): found 'lift_tests' in the file and a table of them; wanted one of the two" in fault


def test_a_faulty_event_or_lift_test_leaves_the_rest_sound(tmp_path):
    """The rows can be checked although a term of the model cannot be read."""
    (tmp_path / "lift.csv").write_text(LIFT_ROWS.replace("radio", "tvv"))
    (tmp_path / "shop.yaml").write_text(
        SHOP
        + "model: {trend: {}, events: {sale: x, launch: [2022-03-01, {start: 2022-04-01, end: y}], ok: 2022-05-01}}\n"
        "calibration: lift.csv\nsampler: {draws: -1}\n"
    )
    config, faults = inspect_client_config(tmp_path / "shop.yaml")
    assert config is not None
    assert (config.channel_names, config.lift_tests) == (("tv", "radio"), ())
    assert config.model.trend is not None
    assert [event.name for event in config.model.events] == ["ok"]
    assert [fault.where for fault in faults] == [
        "setting 'model.events.sale' (line 7)",
        "setting 'model.events.launch[2].end' (line 7)",
        "setting 'sampler.draws' (line 9)",
        "lift.csv, column 'channel', row 3",
    ]


def test_a_lift_test_of_a_refused_channel_is_no_fault_of_its_own(tmp_path):
    """A channel of a reserved name is one fault, not a second one for each of its tests."""
    (tmp_path / "lift.csv").write_text(LIFT_ROWS.replace("radio", "split"))
    text = SHOP.replace("radio", "split") + "calibration: lift.csv\n"
    (tmp_path / "shop.yaml").write_text(text)
    config, faults = inspect_client_config(tmp_path / "shop.yaml")
    assert [fault.found for fault in faults] == ["column 'split'"]
    assert config is not None
    assert [test.channel for test in config.lift_tests] == ["tv"]


def test_lift_tests_become_the_table_they_are_read_from(tmp_path):
    """A table of lift tests is written from the values and gives the same values again."""
    tests = (
        LiftTest(channel="tv", date="2022-03-07", x=10.0, delta_x=5.0, delta_y=100.0, sigma=20.0),
        LiftTest(channel="radio", date="2022-03-14", x=4.5, delta_x=-4.5, delta_y=-1e-3, sigma=0.25),
    )
    again, faults = read_lift_tests(table_from_frame(lift_test_frame(tests)))
    assert (again, faults) == (tests, [])


FULL_ROWS = (
    "channel,date,end,cool_down,share,x,delta_x,delta_y,sigma,heterogeneity,ageing,who\n"
    "tv,2022-03-07,2022-03-27,2,0.25,10,5,100,20,0.1,0.2,Ann\n"
    "radio,2022-03-14,,,,,5,100,20,,n/a,Bob\n"
)


def test_a_table_may_say_more_and_leave_cells_empty(tmp_path: Path) -> None:
    """An empty cell means the default, an empty x the media of the rows; other columns are passed over."""
    (tmp_path / "lift.csv").write_text(FULL_ROWS)
    full, short = read_shop(tmp_path, "calibration: lift.csv\n").lift_tests
    assert full == LiftTest(
        channel="tv", date="2022-03-07", end="2022-03-27", cool_down=2, share=0.25, x=10.0, delta_x=5.0,
        delta_y=100.0, sigma=20.0, heterogeneity=0.1, ageing=0.2,
    )  # fmt: skip
    assert short == LiftTest(channel="radio", date="2022-03-14", delta_x=5.0, delta_y=100.0, sigma=20.0)
    again, faults = read_lift_tests(table_from_frame(lift_test_frame([full, short])))
    assert (again, faults) == ((full, short), [])
    assert list(lift_test_frame([short]).columns) == ["channel", "date", "x", "delta_x", "delta_y", "sigma"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2022-03-27", "2022-02-27", "column 'end', row 2 (2022-03-07): found 2022-02-27; wanted the date or later"),
        (",2,0.25", ",1.5,0.25", "column 'cool_down', row 2 (2022-03-07): found 1.5; wanted whole periods, 0 to 104"),
        (",2,0.25", ",2,25", "column 'share', row 2 (2022-03-07): found 25; wanted a number above 0, 1 at most"),
        ("0.1,0.2", "-0.1,0.2", "column 'heterogeneity', row 2 (2022-03-07): found -0.1; wanted 0 or more"),
        (",,,5,100,20,,n/a", ",,,5,100,20,,some", "column 'ageing', row 3 (2022-03-14): found the text 'some'; wanted "
         "a number"),
        ("2022-03-14,,", "2022-03-14,later,", "column 'end', row 3: found 'later'"),
        ("cool_down,share", "cooldown,share", "column 'cooldown': found a column that nothing reads; wanted the "
         "columns channel, date, x, delta_x, delta_y, sigma, and where needed end, cool_down, share, heterogeneity, "
         "ageing; did you mean 'cool_down'?"),
        ("ageing,who", "ageing,share", "column 'share': found two columns of this name; wanted one"),
    ],
)  # fmt: skip
def test_faults_of_optional_columns_are_named_with_their_row(tmp_path, old, new, fault):
    """Also rows behind empty cells keep their number; a name that is nearly right is not passed over."""
    assert old in FULL_ROWS
    (tmp_path / "lift.csv").write_text(FULL_ROWS.replace(old, new))
    (found,) = faults_of_settings(tmp_path, SHOP + "calibration: lift.csv\n")
    assert found.startswith(f"lift.csv, {fault}")


def test_tests_in_the_client_file_say_what_is_not_usual(tmp_path: Path) -> None:
    """Written and read again they are equal, and defaults are not written; days in the wrong order are refused."""
    tests = (
        "lift_tests: [{channel: tv, date: 2022-03-07, end: 2022-03-20, delta_x: 5, delta_y: 90, sigma: 20}]\n"
    )
    config = read_shop(tmp_path, tests)
    write_client_config(config, tmp_path / "shop.yaml")
    assert "cool_down" not in (tmp_path / "shop.yaml").read_text()
    assert read_client_config(tmp_path / "shop.yaml").lift_tests == config.lift_tests
    (fault,) = faults_of_settings(tmp_path, SHOP + tests.replace("2022-03-20", "2022-03-01"))
    assert fault == (
        "setting 'lift_tests[1].end' (line 7): found 2022-03-01; wanted 2022-03-07 or later; swap the two days"
    )


def test_typed_values_in_settings_are_named_like_written_ones():
    """Settings made in Python may hold values that have their type already."""
    test = LiftTest(channel="tvs", date="2022-03-07", x=10.0, delta_x=5.0, delta_y=100.0, sigma=20.0)
    values = {**yaml.safe_load(SHOP), "lift_tests": [test]}
    with pytest.raises(ConfigError) as caught:
        client_config_from_mapping(values)
    assert [str(fault) for fault in caught.value.faults] == [
        "setting 'lift_tests[1].channel': found 'tvs'; wanted one of tv, radio; did you mean 'tv'?"
    ]


def test_settings_without_lift_tests_are_read_without_pandas():
    """Looking at thousands of client files must not cost the second that pandas takes to load."""
    code = "import sys, mmm_engine.client.config; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
