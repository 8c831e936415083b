"""The settings of the three sizes fit the code, and differ only where they have to."""

import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
LOCAL = yaml.safe_load((ROOT / "dagster_home" / "dagster.yaml").read_text())
WORKERS = yaml.safe_load((ROOT / "deploy" / "workers" / "dagster.yaml").read_text())
KUBERNETES = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "dagster.yaml").read_text())
SIZES = {"one machine": LOCAL, "several machines": WORKERS, "Kubernetes": KUBERNETES}


def test_the_three_sizes_differ_in_records_launcher_and_limits_only():
    """What two of their files say about anything else is the same."""
    meant = {"storage", "run_launcher", "compute_logs", "backfills", "concurrency", "run_monitoring"}
    assert set(WORKERS) - set(LOCAL) == {"compute_logs", "backfills"}
    assert set(LOCAL) <= set(WORKERS) == set(KUBERNETES)
    for section in set(LOCAL) - meant:
        assert WORKERS[section] == LOCAL[section] == KUBERNETES[section], section
    for section in ("compute_logs", "backfills"):
        assert WORKERS[section] == KUBERNETES[section], section
    assert WORKERS["storage"]["custom"]["class"] == KUBERNETES["storage"]["custom"]["class"]


@pytest.mark.parametrize("size", SIZES)
def test_limits_that_every_size_has(size):
    """A client has one run at a time, by the tag that the queue gives every run; steps claim pools; a run ends."""
    concurrency, monitoring = SIZES[size]["concurrency"], SIZES[size]["run_monitoring"]
    assert concurrency["runs"]["tag_concurrency_limits"] == [
        {"key": "mmm/client", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]
    assert concurrency["pools"]["granularity"] == "op"
    assert ("default_limit" in concurrency["pools"]) == (
        size == "one machine"
    )  # else all would fit one at a time
    assert monitoring["enabled"] is True
    assert monitoring["max_resume_run_attempts"] == 0
    assert monitoring["max_runtime_seconds"] == 7200
    assert monitoring["free_slots_after_run_end_seconds"] <= 30


@pytest.mark.parametrize(
    ("settings", "section"),
    [
        (LOCAL, "run_coordinator"),
        (LOCAL, "run_launcher"),
        (WORKERS, "run_coordinator"),
        (WORKERS, "run_launcher"),
        (WORKERS, "storage"),
        (KUBERNETES, "run_coordinator"),
        (KUBERNETES, "run_launcher"),
        (KUBERNETES, "storage"),
    ],
)
def test_classes_that_settings_name_exist(settings, section):
    """A misspelt one would keep the daemon from starting."""
    named = settings[section].get("custom", settings[section])
    for package in () if settings is LOCAL else ("dagster_celery", "dagster_k8s", "dagster_postgres"):
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
