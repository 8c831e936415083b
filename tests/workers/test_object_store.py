"""Results and facts in an S3 bucket: a server that speaks its protocol on this machine, which can be told to refuse.

Needs `make rehearsal`; skipped where its packages are missing.
"""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mmm_assets import home as homes
from mmm_assets.storage.io_managers import FrameFiles, JsonFiles, PosteriorFiles, StoredFileError
from mmm_assets.storage.objects import put_text
from mmm_assets.storage.resources import ClientFiles
from mmm_engine.history.store import History
from tests.engine.history.history_cases import score_rows
from tests.soak.fleet import STRUCTURES, write_client

moto_server = pytest.importorskip("moto.server", reason="moto[server] is not installed: make rehearsal")
pytest.importorskip("s3fs", reason="s3fs is not installed: make rehearsal")


class Bucket:
    """A server of one bucket, which refuses to write while it is told to."""

    def __init__(self) -> None:
        from werkzeug.serving import make_server

        self.refuses, self.refused = threading.Event(), 0
        self._app = moto_server.DomainDispatcherApplication(moto_server.create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()

    def _answer(self, environ, start_response):
        if self.refuses.is_set() and environ["REQUEST_METHOD"] in ("PUT", "POST"):
            self.refused += 1
            start_response("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"]
        return self._app(environ, start_response)


@pytest.fixture(scope="module")
def server():
    """The server."""
    bucket = Bucket()
    yield bucket
    bucket.stop()


@pytest.fixture
def root(server, monkeypatch):
    """A bucket as $MMM_STORAGE."""
    for name, value in {
        "AWS_ENDPOINT_URL": server.address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "MMM_STORAGE": f"s3://{uuid.uuid4().hex}/mmm",
    }.items():
        monkeypatch.setenv(name, value)
    root = homes.results_root()
    root.fs.mkdir(root.path.split("/")[0])
    return root


def test_values_come_back_from_a_bucket(root):
    """A page's status, a frame with its stamp, a posterior."""
    frame = pd.DataFrame({"channel": ["tv"], "value": [1.5]})
    frame.attrs["fit_id"] = "abc"
    FrameFiles().write("channel_returns", "shop|full", frame)
    back = FrameFiles().read("channel_returns", "shop|full")
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs == {"fit_id": "abc"}

    draws = xr.Dataset({"beta": (("chain", "draw"), np.arange(6.0).reshape(2, 3))})
    PosteriorFiles().write("fitted_posterior", "shop|full", xr.DataTree.from_dict({"posterior": draws}))
    read = PosteriorFiles().read("fitted_posterior", "shop|full")
    np.testing.assert_array_equal(read["posterior"]["beta"], draws["beta"])

    JsonFiles().path("report", "shop").write_text("{torn")
    with pytest.raises(StoredFileError, match="moved to s3://"):
        JsonFiles().read("report", "shop")
    assert len(root.fs.find(f"{root.path}/quarantine")) == 1


def test_machines_record_in_a_bucket_at_once_and_read_all_of_it(root, tmp_path):
    """Three machines, three runs each; a fourth that was not there reads all nine."""

    def record(number: int) -> None:
        history = History(tmp_path / f"m{number}" / "metric_history.duckdb", shared=root)
        for run in range(3):
            history.append(score_rows(10 * number + run, client=f"shop{number}"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(record, range(3)))
    rows = History(tmp_path / "late" / "metric_history.duckdb", shared=root).read()
    assert rows.groupby("client")["run_id"].nunique().to_dict() == {"shop0": 3, "shop1": 3, "shop2": 3}


def test_what_another_machine_writes_is_seen_at_once(root, server):
    """A worker that stays keeps no list of what there was."""
    import boto3

    files = JsonFiles()
    assert not files.has("report", "shop")
    assert list(files.path("report").parent.glob("*")) == []
    bucket, _, prefix = root.path.partition("/")
    elsewhere = boto3.client("s3", endpoint_url=server.address)
    elsewhere.put_object(
        Bucket=bucket, Key=f"{prefix}/storage/report/shop.json", Body=b'{"verdict": "usable"}'
    )
    assert files.read("report", "shop") == {"verdict": "usable"}
    elsewhere.put_object(Bucket=bucket, Key=f"{prefix}/storage/report/shop.json", Body=b'{"verdict": "no"}')
    assert files.read("report", "shop") == {"verdict": "no"}


def test_a_bucket_that_refuses_to_write_for_a_while_loses_nothing(root, server, tmp_path):
    """Pages and facts wait for it and are there afterwards."""
    history = History(tmp_path / "metric_history.duckdb", shared=root)
    server.refuses.set()
    threading.Timer(4.0, server.refuses.clear).start()
    put_text(root / "storage" / "report" / "shop.html", "<html></html>")
    history.append(score_rows(0))
    assert server.refused >= 1
    assert (root / "storage" / "report" / "shop.html").read_text() == "<html></html>"
    assert len(root.fs.find(f"{root.path}/metric_history")) == 1


def test_client_files_in_a_bucket_are_read_and_followed(root, server, tmp_path, monkeypatch):
    """A client is added and given new rows by whoever may write there; this machine's copy follows by ETag."""
    import boto3

    bucket = root.path.partition("/")[0]
    monkeypatch.setenv("MMM_DATA_DIR", f"s3://{bucket}/clients")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("mmm_assets.mirror._looked", {})
    monkeypatch.setattr("mmm_assets.mirror.current_copy.__defaults__", (0.0,))
    elsewhere = boto3.client("s3", endpoint_url=server.address)
    write_client(tmp_path, "shop", STRUCTURES[0], seed=1)
    for name in ("shop.yaml", "shop.csv"):
        elsewhere.put_object(Bucket=bucket, Key=f"clients/{name}", Body=(tmp_path / name).read_bytes())
    assert len(ClientFiles().read("shop").frame) == 60
    before = ClientFiles().fingerprint("shop")
    fewer = (tmp_path / "shop.csv").read_text().splitlines()[:-1]
    elsewhere.put_object(Bucket=bucket, Key="clients/shop.csv", Body="\n".join(fewer).encode())
    assert len(ClientFiles().read("shop").frame) == 59
    assert ClientFiles().fingerprint("shop") != before
