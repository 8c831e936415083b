"""The metric history between processes and threads: writers, readers and the dead."""

import os
import signal
import threading
import time

import pytest

from mmm_engine.errors import HistoryError
from mmm_engine.history.store import History
from tests.engine.history.history_cases import append_runs, run_python, score_rows
from tests.processes import start

HOLDER = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read") as database:
    print("open")
    time.sleep(float(sys.argv[3]))
"""

DYING_WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from mmm_engine.history.files import connection, exclusive
from mmm_engine.history.tables import METRIC_HISTORY
from history_cases import score_rows
path = Path(sys.argv[1])
with exclusive(path.parent / "metric_history" / ".lock"), connection(path, read_only=False) as database:
    database.register("incoming", METRIC_HISTORY.to_arrow(score_rows(7)))
    database.begin()
    database.execute(METRIC_HISTORY.insert_sql("incoming"))
    print("written, not committed")
    time.sleep(60)
"""

HERE = os.path.dirname(os.path.abspath(__file__))


class TestSeveralProcesses:
    """Writers, readers and the dead."""

    def test_eight_writers_lose_nothing(self, history, tmp_path):
        """8 processes with 12 runs each: 96 runs recorded, 96 fact files, and reading works meanwhile."""
        writers = [
            start(append_runs, history.path, 100 * number, 12, complaints=tmp_path / f"stderr-{number}")
            for number in range(8)
        ]
        seen = [0]
        while any(writer.process.is_alive() for writer in writers):
            seen.append(len(history.read(metric="crps")))
            time.sleep(0.4)
        assert [writer.exit_code() for writer in writers] == [0] * 8
        assert history.read(metric="crps")["run_id"].nunique() == 96
        assert len(list(history.path.parent.glob("metric_history/ms/*.parquet"))) == 96
        assert seen == sorted(seen)
        assert any(0 < count < 96 for count in seen)

    def test_reading_waits_for_a_writer(self, history):
        """A process that holds the file for writing only delays."""
        history.append(score_rows())
        holder = run_python(HOLDER, history.path, "write", 0.5)
        assert holder.stdout.readline() == "open\n"
        assert len(history.read()) == 2
        holder.communicate()

    def test_writing_waits_for_a_reader(self, history):
        """And the other way round."""
        history.append(score_rows(0))
        holder = run_python(HOLDER, history.path, "read", 0.5)
        assert holder.stdout.readline() == "open\n"
        history.append(score_rows(1))
        assert len(history.read()) == 4
        holder.communicate()

    def test_waiting_ends_with_a_message(self, history):
        """A database browser left open: say so, and what to do; the facts are written all the same."""
        history.append(score_rows(0))
        holder = run_python(HOLDER, history.path, "write", 60)
        holder.stdout.readline()
        impatient = History(history.path, patience=0.2)
        try:
            for use in (impatient.read, lambda: impatient.append(score_rows(1))):
                with pytest.raises(HistoryError, match=f"keeps it open.*PID {holder.pid}.*close the program"):
                    use()
        finally:
            holder.kill()
            holder.communicate()
        assert history.rebuild() == 4

    def test_a_killed_writer_leaves_what_was_committed(self, history):
        """Killed (-9) in a transaction: its rows are gone, all others stay, nobody is locked out."""
        history.append(score_rows(0))
        writer = run_python(DYING_WRITER, history.path, HERE)
        assert writer.stdout.readline() == "written, not committed\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        assert history.read()["run_id"].unique().tolist() == ["run-000"]
        history.append(score_rows(1))
        assert history.read()["run_id"].unique().tolist() == ["run-000", "run-001"]

    def test_threads_of_one_process_share_it_too(self, history):
        """Dagster's in-process executor and a web server read and write from threads."""
        failures = []

        def work(number):
            try:
                for index in range(5):
                    history.append(score_rows(number * 100 + index))
                    history.read(latest=True)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert history.read()["run_id"].nunique() == 20
