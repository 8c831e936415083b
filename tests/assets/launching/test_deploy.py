"""The settings of the three sizes fit the code, and differ only where they have to."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
LOCAL = yaml.safe_load((ROOT / "dagster_home" / "dagster.yaml").read_text())
WORKERS = yaml.safe_load((ROOT / "deploy" / "workers" / "dagster.yaml").read_text())
KUBERNETES = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "values.yaml").read_text())


def test_several_machines_differ_in_records_launcher_and_limits_only():
    """What both files say about anything else is the same."""
    meant = {"storage", "run_launcher", "compute_logs", "backfills", "concurrency", "run_monitoring"}
    assert set(WORKERS) - set(LOCAL) == {"compute_logs", "backfills"}
    assert set(LOCAL) <= set(WORKERS)
    for section in set(LOCAL) - meant:
        assert WORKERS[section] == LOCAL[section], section
    for settings in (LOCAL, WORKERS):
        assert settings["concurrency"]["pools"]["granularity"] == "op"
        assert settings["run_monitoring"]["max_resume_run_attempts"] == 0
    assert (
        "default_limit" not in WORKERS["concurrency"]["pools"]
    )  # all machines together would fit one at a time


def test_every_size_keeps_a_client_to_one_run_at_a_time():
    """By the tag that the queue gives every run."""
    kubernetes = KUBERNETES["dagsterDaemon"]["runCoordinator"]["config"]["customRunCoordinator"]
    limits = [settings["concurrency"]["runs"]["tag_concurrency_limits"] for settings in (LOCAL, WORKERS)]
    one = [{"key": "mmm/client", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}]
    assert [*limits, kubernetes["config"]["tag_concurrency_limits"]] == [one] * 3
    queues = [LOCAL["run_coordinator"], WORKERS["run_coordinator"], kubernetes]
    assert {(queue["module"], queue["class"]) for queue in queues} == {
        ("mmm_assets.launching.queue", "ClientQueue")
    }


@pytest.mark.parametrize(
    ("settings", "section"),
    [
        (LOCAL, "run_coordinator"),
        (LOCAL, "run_launcher"),
        (WORKERS, "run_coordinator"),
        (WORKERS, "run_launcher"),
        (WORKERS, "storage"),
    ],
)
def test_classes_that_settings_name_exist(settings, section):
    """A misspelt one would keep the daemon from starting."""
    named = settings[section].get("custom", settings[section])
    for package in ("dagster_celery", "dagster_postgres") if settings is WORKERS else ():
        pytest.importorskip(package, reason="make workers installs it")
    assert hasattr(importlib.import_module(named["module"]), named["class"])


def test_the_image_has_the_projects_python_and_the_locked_packages():
    """It is built from the lock file that `make lock` renews."""
    recipe = (ROOT / "deploy" / "kubernetes" / "Dockerfile").read_text()
    wanted = (ROOT / ".python-version").read_text().strip()
    assert recipe.count(f"FROM python:{wanted}-slim") == 2
    lock = (ROOT / "deploy" / "requirements.lock").read_text()
    assert "deploy/requirements.lock" in recipe
    for package in ("dagster==", "dagster-k8s==", "dagster-postgres==", "dagster-celery=="):
        assert f"\n{package}" in lock


def test_no_process_translates_libraries_anew():
    """Seconds each: an image may not write bytecode and brings it along; make lets every process keep it."""
    recipe = (ROOT / "deploy" / "kubernetes" / "Dockerfile").read_text()
    installs = [line for line in recipe.splitlines() if re.search(r"uv pip (sync|install)", line)]
    assert len(installs) == 2
    assert [line for line in installs if "--compile-bytecode" not in line] == []
    assert "\nunexport PYTHONDONTWRITEBYTECODE\n" in (ROOT / "Makefile").read_text()
