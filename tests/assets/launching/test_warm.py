"""A run that is forked from a warm process has nothing left to import."""

import subprocess
import sys

from mmm_assets.home import open_quietly
from tests.soak.fleet import write_client

REFRESH = """
import sys
import mmm_assets.warm
behind = set(sys.modules)

from pathlib import Path
from mmm_assets.home import open_quietly
from mmm_assets.dagster_private.execution import code_origin, job_origin
from mmm_assets.dagster_private.tags import PARTITION_NAME_TAG
from mmm_assets.launching import local
from mmm_assets.partitions import clients, range_tags
from mmm_assets.refreshes import jobs
from mmm_engine.client.windows import STANDARD_WINDOWS

home = Path(sys.argv[1])
one, windows = {PARTITION_NAME_TAG: "acme"}, range_tags("acme", STANDARD_WINDOWS[0], STANDARD_WINDOWS[-1])
asked_for = ((jobs.DATA, one), (jobs.WINDOWS, windows), (jobs.FLEETS, one), (jobs.PUBLISH, one))
late = set()


def in_the_daemon(instance, job, tags):
    before = set(sys.modules)
    instance.add_dynamic_partitions(str(clients.name), ["acme"])
    run = instance.create_run_for_job(
        mmm_assets.warm.defs.resolve_job_def(job.name),
        tags=tags,
        remote_job_origin=job_origin(job.name),
        job_code_origin=code_origin(job.name),
    )
    late.update(set(sys.modules) - before)
    return run


late.update(set(sys.modules) - behind)  # what this script needs itself
with open_quietly(home) as instance:
    assert not instance.get_runs()
    late_while_opening = set(sys.modules) - behind - late
    for job, tags in asked_for:
        run = in_the_daemon(instance, job, tags)
        local.execute_launched(run.run_id, instance)
        status = instance.get_run_by_id(run.run_id).status
        assert status.value == "SUCCESS", (job.name, status, [e.message for e in instance.all_logs(run.run_id)])
print("imported:", *sorted(late_while_opening | (set(sys.modules) - behind - late)))
"""


def test_a_refresh_imports_nothing_that_the_warm_process_has_not(home, tmp_path, monkeypatch):
    """It would do so for every client: opening Dagster's records alone took each of four runs 1.5 s."""
    open_quietly(home).dispose()  # the first to open a home makes its tables
    write_client(tmp_path, "acme", ("tv", "search"), seed=1, audit={"simulations": 0})
    monkeypatch.setenv("MMM_DATA_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", REFRESH, str(home)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].removeprefix("imported:").split() == []
    assert (home / "storage" / "report" / "acme.html").exists()
