"""`dagster dev` starts our web server in place of its own."""

import inspect

from dagster._cli import dev

from mmm_assets.dagster_private.interface import with_module


def test_dagster_dev_still_starts_the_server_that_is_replaced():
    """An upgrade that starts it in another way would leave the guard out."""
    source = inspect.getsource(dev.dev_command_impl)
    assert '[sys.executable, "-m", "dagster_webserver"]' in source
    assert source.count("open_ipc_subprocess(") == 2


def test_other_processes_are_started_as_they_are():
    """The daemon has the same options."""
    assert with_module(["python", "-m", "dagster_webserver", "x"], ["-m", "mine", "web"]) == [
        "python",
        "-m",
        "mine",
        "web",
        "x",
    ]
    daemon = ["python", "-m", "dagster._daemon", "run"]
    assert with_module(daemon, ["-m", "mine"]) == daemon
