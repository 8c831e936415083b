"""The metric history: nothing lost, nothing twice, whatever is damaged."""

import errno
import os
import stat
from datetime import datetime, timedelta, timezone

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmm_engine.errors import ConfigError, HistoryError
from mmm_engine.history.files import connection, read_fact
from mmm_engine.history.tables import METRIC_HISTORY
from tests.engine.history.history_cases import START, run_python, score_rows


class TestAppendAndRead:
    """What goes in comes out."""

    def test_rows_come_back_as_written(self, history):
        """Every column, dates as dates, times in UTC."""
        written = score_rows(scores={"crps": 0.25})
        assert history.append(written) == 1
        row = history.read().iloc[0]
        assert row["value"] == 0.25
        assert row["cutoff"] == pd.Timestamp("2025-12-29")
        assert row["recorded_at"] == pd.Timestamp("2026-01-05 08:00")
        assert list(history.read().columns) == list(METRIC_HISTORY.columns)
        assert {name: row[name] for name in ("client", "window", "split", "channel", "metric", "run_id")} == {
            "client": "ms",
            "window": "h04",
            "split": "test",
            "channel": "all",
            "metric": "crps",
            "run_id": "run-000",
        }

    def test_nan_stays_nan(self, history):
        """A score that is not defined keeps its row: NaN in frame and table, not NULL and not 0."""
        history.append(score_rows())
        read = history.read(metric="mape")
        assert len(read) == 1
        assert np.isnan(read["value"].iloc[0])
        with duckdb.connect(history.path, read_only=True) as database:
            query = "SELECT isnan(value) FROM metric_history WHERE metric = 'mape'"
            assert database.execute(query).fetchall() == [(True,)]

    def test_views_say_null_where_the_table_says_nan(self, history):
        """In SQL NaN is larger than every number: a filter in a BI tool must not catch it."""
        history.append(score_rows())
        with duckdb.connect(history.path, read_only=True) as database:
            for view in ("latest_metrics", "metric_trend"):
                query = (
                    f"SELECT metric, value FROM {view} WHERE value > 0.05 OR value IS NULL ORDER BY metric"
                )
                assert database.execute(query).fetchall() == [("crps", 0.1), ("mape", None)]

    def test_recording_a_run_twice_changes_nothing(self, history):
        """A step that is retried leaves the history as the first try did."""
        history.append(score_rows())
        before = history.read()
        history.append(score_rows())
        pd.testing.assert_frame_equal(history.read(), before)

    def test_recording_a_run_again_with_other_values_keeps_the_last(self, history):
        """Same key, new value: an update, in the facts too; other rows of the run stay."""
        history.append(score_rows())
        history.append(score_rows(scores={"crps": 0.7, "bias": 0.1}))
        for _ in range(2):
            read = history.read().set_index("metric")["value"]
            assert read.drop("mape").to_dict() == {"bias": 0.1, "crps": 0.7}
            assert np.isnan(read["mape"])
            history.rebuild()

    def test_filters_combine(self, history):
        """Client, metric, window, split and time, one value or several."""
        for run in range(3):
            history.append(pd.concat([score_rows(run), score_rows(run, client="other", window="h08")]))
        assert len(history.read()) == 12
        assert len(history.read(client="ms", metric="crps")) == 3
        assert len(history.read(client=["ms", "other"], metric=["crps", "mape"], window="h08")) == 6
        assert len(history.read(split="train")) == 0
        assert len(history.read(since=START + timedelta(days=7))) == 8
        assert len(history.read(client=[])) == 0

    def test_rows_are_ordered_by_time(self, history):
        """Oldest first, in whatever order they were recorded."""
        for run in (2, 0, 1):
            history.append(score_rows(run))
        assert history.read(metric="crps")["run_id"].tolist() == ["run-000", "run-001", "run-002"]

    def test_text_with_quotes_is_only_text(self, history):
        """Names from files reach SQL as parameters and as data, never as SQL."""
        name = "x'); DROP TABLE metric_history; --"
        history.append(score_rows(channel=name))
        assert history.read(metric=name).empty
        assert set(history.read()["channel"]) == {name}

    def test_a_history_that_does_not_exist_is_empty(self, history):
        """Reading makes no file; the columns and types are those of a full one."""
        empty = history.read(latest=True)
        assert empty.empty
        assert not history.path.exists()
        history.append(score_rows())
        assert (empty.dtypes == history.read().dtypes).all()

    def test_no_rows_is_no_write(self, history):
        """An empty frame leaves no file."""
        assert history.append(score_rows().iloc[:0]) == 0
        assert not history.path.exists()

    def test_times_in_other_zones_are_stored_in_utc(self, history):
        """9 o'clock in Berlin in winter is 8 o'clock UTC."""
        berlin = timezone(timedelta(hours=1))
        history.append(score_rows(recorded_at=datetime(2026, 1, 5, 9, tzinfo=berlin)))
        assert history.read()["recorded_at"].unique() == [pd.Timestamp("2026-01-05 08:00")]

    def test_files_are_private(self, history):
        """Client numbers are readable by their owner only."""
        history.append(score_rows())
        home = history.path.parent
        files = [history.path, *home.glob("metric_history/*/*.parquet")]
        assert len(files) == 2
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert {stat.S_IMODE(path.stat().st_mode) for path in (home, home / "metric_history")} == {0o700}


class TestRefusals:
    """Rows that would make the history wrong."""

    def test_a_missing_or_unknown_column(self, history):
        """Named, before anything is written."""
        with pytest.raises(ValueError, match=r"missing \['unit'\], not known \['units'\]"):
            history.append(score_rows().rename(columns={"unit": "units"}))
        assert not history.path.exists()

    def test_a_key_that_comes_twice(self, history):
        """Two values for one score in one write: neither is taken."""
        with pytest.raises(ValueError, match="key comes twice"):
            history.append(pd.concat([score_rows(), score_rows()]))

    def test_a_row_without_a_name(self, history):
        """Only a value may be missing."""
        with pytest.raises(ValueError, match="no value in a row of"):
            history.append(score_rows().assign(metric=None))

    @pytest.mark.parametrize("run_id", ["../../etc/passwd", "", "a/b", ".hidden"])
    def test_a_run_id_that_is_a_path(self, history, run_id):
        """A run id becomes a file name."""
        with pytest.raises(ValueError, match="run id"):
            history.append(score_rows(run_id=run_id))

    def test_a_client_id_that_is_a_path(self, history):
        """A client id becomes a folder name."""
        with pytest.raises(ConfigError):
            history.append(score_rows(client="../ms"))


class TestViews:
    """What a BI tool reads."""

    def test_latest_is_the_last_run_of_each_metric(self, history):
        """Old runs go; a metric that the last run did not compute keeps its last value."""
        history.append(score_rows(0, scores={"crps": 0.1, "recovery": 0.9}))
        history.append(score_rows(1, scores={"crps": 0.2}))
        latest = history.read(latest=True).set_index("metric")["value"]
        assert latest.to_dict() == {"crps": 0.2, "recovery": 0.9}

    def test_latest_forgets_a_dropped_channel(self, history):
        """The last run that has a ROAS says which channels there are."""
        history.append(
            pd.concat([score_rows(0, scores={"roas": 1.0}, channel=name) for name in ("tv", "radio")])
        )
        history.append(score_rows(1, scores={"roas": 2.0}, channel="tv"))
        assert history.read(latest=True)["channel"].tolist() == ["tv"]
        assert len(history.read(metric="roas")) == 3

    def test_open_alarms_are_drift_scores_of_one_and_above_in_the_last_refresh(self, history):
        """An alarm that is over is not open; a drift score below its limit is none."""
        history.append(score_rows(0, scores={"drift_crps": 1.2, "drift_bias": 1.5}))
        history.append(score_rows(1, scores={"drift_crps": 2.0, "drift_bias": 0.3}))
        with duckdb.connect(history.path, read_only=True) as database:
            rows = database.execute("SELECT client, stream, severity FROM open_alarms").fetchall()
        assert rows == [("ms", "crps", 2.0)]

    def test_trend_compares_with_the_refreshes_before(self, history):
        """Change against the last one, mean and sd of those before, NULL where nothing is to compare."""
        for run, value in enumerate([1.0, 3.0, 8.0]):
            history.append(score_rows(run, scores={"crps": value}))
        with duckdb.connect(history.path, read_only=True) as database:
            columns = "refresh, previous_value, change, mean_before, sd_before"
            query = f"SELECT {columns} FROM metric_trend ORDER BY refresh"
            rows = database.execute(query).fetchall()
        assert rows[0] == (1, None, None, None, None)
        assert rows[1] == (2, 1.0, 2.0, 1.0, None)
        assert rows[2] == pytest.approx((3, 3.0, 5.0, 2.0, np.sqrt(2)))


class TestRebuild:
    """The database is a copy; the facts are the truth."""

    def test_gives_the_same_rows(self, history):
        """Scores, NaN and forecasts, from the Parquet files alone."""
        for run in range(3):
            history.append(pd.concat([score_rows(run), score_rows(run, client="other")]))
        before = history.read()
        history.path.unlink()
        assert history.rebuild() == 12
        pd.testing.assert_frame_equal(history.read(), before)

    def test_a_missing_database_comes_back_by_itself(self, history):
        """Deleted by hand: the next read or write makes it again."""
        history.append(score_rows(0))
        history.path.unlink()
        assert len(history.read()) == 2
        history.path.unlink()
        history.append(score_rows(1))
        assert len(history.read()) == 4

    @pytest.mark.parametrize("damage", ["overwritten", "truncated", "emptied", "middle"])
    @pytest.mark.parametrize("use", ["read", "append"])
    def test_a_damaged_database_is_made_again_from_its_facts(self, history, damage, use, caplog):
        """At the next read or write, with a warning that names it; the damaged file is kept; nothing is lost."""
        for run in range(3):
            history.append(score_rows(run))
        content = history.path.read_bytes()
        half = len(content) // 2
        damaged = {
            "overwritten": b"not a database" * 1000,
            "truncated": content[:half],
            "emptied": b"",
            "middle": content[:4096] + bytes(len(content) - 4096),
        }[damage]
        history.path.write_bytes(damaged)
        if use == "append":
            history.append(score_rows(3))
        assert len(history.read()) == (8 if use == "append" else 6)
        if damage != "emptied":  # DuckDB takes an empty file for a database without tables
            assert "made again from the facts" in caplog.text
        assert history.path.with_name("metric_history.duckdb.replaced").read_bytes() == damaged

    def test_a_damaged_fact_is_made_again_from_the_database(self, history, caplog):
        """The damaged file is kept in the quarantine; appending to its run finds the earlier rows."""
        for run in range(2):
            history.append(score_rows(run))
        before = history.read()
        fact = history.path.parent / "metric_history" / "ms" / "run-001.parquet"
        whole = fact.read_bytes()
        fact.write_bytes(whole[:100])
        history.append(score_rows(1))
        pd.testing.assert_frame_equal(history.read(), before)
        fact.write_bytes(whole[:100])
        assert history.rebuild() == 4
        pd.testing.assert_frame_equal(history.read(), before)
        kept = list((history.path.parent / "quarantine" / "metric_history").iterdir())
        assert [file.read_bytes() for file in kept] == [whole[:100]] * 2
        assert "run-001.parquet" in caplog.text

    def test_a_damaged_block_of_a_fact_is_never_read_as_numbers(self, history):
        """Any byte turned, any block zeroed: the same rows as before, or a damaged fact; nothing else."""
        history.append(score_rows(0, scores={f"m{n}": n / 7 for n in range(40)}))
        fact = history.path.parent / "metric_history" / "ms" / "run-000.parquet"
        whole, before = fact.read_bytes(), read_fact(METRIC_HISTORY, fact)
        blocks = [whole[:n] + bytes(64) + whole[n + 64 :] for n in range(0, len(whole) - 64, 128)]
        turned = [whole[:n] + bytes([whole[n] ^ 0x10]) + whole[n + 1 :] for n in range(0, len(whole), 13)]
        refused = 0
        for damaged in blocks + turned:
            fact.write_bytes(damaged)
            try:
                assert read_fact(METRIC_HISTORY, fact).equals(before)
            except HistoryError:
                refused += 1
        assert refused > 50

    def test_a_fact_without_checksums_whose_times_are_out_of_bounds_is_damaged(self, history):
        """Files of earlier versions have none: a time that no frame can hold is seen all the same."""
        history.append(score_rows(0))
        fact = history.path.parent / "metric_history" / "ms" / "run-000.parquet"
        rows, before = read_fact(METRIC_HISTORY, fact), history.read()
        position = rows.schema.get_field_index("recorded_at")
        beyond = pa.array([2**60] * len(rows), pa.timestamp("us"))
        pq.write_table(rows.set_column(position, "recorded_at", beyond), fact)
        assert history.rebuild() == 2
        pd.testing.assert_frame_equal(history.read(), before)
        assert list((history.path.parent / "quarantine" / "metric_history").iterdir())

    def test_both_sides_damaged_is_an_error_that_names_the_file(self, history):
        """Rows are not dropped in silence."""
        history.append(score_rows(0))
        history.append(score_rows(1))
        fact = history.path.parent / "metric_history" / "ms" / "run-001.parquet"
        fact.write_bytes(fact.read_bytes()[:100])
        history.path.write_bytes(b"not a database" * 1000)
        with pytest.raises(HistoryError, match=r"run-001\.parquet"):
            history.read()
        assert fact.exists()

    def test_a_copied_fact_does_not_count_twice(self, history):
        """A backup copy inside the folder is named, not read as a second run."""
        history.append(score_rows(0))
        fact = history.path.parent / "metric_history" / "ms" / "run-000.parquet"
        fact.with_name("run-000 copy.parquet").write_bytes(fact.read_bytes())
        with pytest.raises(HistoryError, match=r"run-000 copy\.parquet.*perhaps a copy"):
            history.rebuild()

    def test_refuses_to_replace_a_database_by_nothing(self, history):
        """Facts that were moved away are no reason to empty the history."""
        history.append(score_rows())
        (history.path.parent / "metric_history").rename(history.path.parent / "elsewhere")
        with pytest.raises(HistoryError, match="no fact files"):
            history.rebuild()
        assert len(history.read()) == 2

    def test_a_database_of_an_older_version_is_replaced_at_the_next_write(self, history):
        """Other definitions, same facts: no migration by hand."""
        history.append(score_rows(0))
        with duckdb.connect(history.path) as database:
            database.execute("DROP VIEW metric_trend")
            database.execute("COMMENT ON TABLE metric_history IS 'older'")
        history.append(score_rows(1))
        with duckdb.connect(history.path, read_only=True) as database:
            assert database.execute("SELECT count(*) FROM metric_trend").fetchone() == (4,)


def test_the_history_does_not_load_the_sampler():
    """`mmm history` starts without PyMC, and without what comes with it."""
    heavy = {"pymc", "pytensor", "dagster", "arviz", "nutpie"}
    code = f"import sys, mmm_engine.history.store; print(sorted({heavy} & set(sys.modules)))"
    output, errors = run_python(code).communicate()
    assert output.strip() == "[]", errors


OF_THE_DISK = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS]


@pytest.mark.parametrize(
    ("error", "number"),
    [
        *[
            (duckdb.IOException(f'IO Error: Could not write file "x": {os.strerror(number)}'), number)
            for number in OF_THE_DISK
        ],
        (duckdb.FatalException("FATAL Error: fsync failed!"), errno.EIO),
    ],
)
def test_a_disk_that_is_full_or_fails_is_not_called_a_damaged_history(tmp_path, monkeypatch, error, number):
    """DuckDB says it in words: they are an error of the system again, which has a remedy of its own."""

    def connect(*_args, **_settings):
        raise error

    monkeypatch.setattr(duckdb, "connect", connect)
    with (
        pytest.raises(OSError, match=os.strerror(number)) as raised,
        connection(tmp_path / "x.duckdb", read_only=False),
    ):
        pass
    assert (raised.value.errno, raised.value.filename) == (number, str(tmp_path / "x.duckdb"))
