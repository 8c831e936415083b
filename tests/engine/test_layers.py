"""The layout is the story: every module of the engine imports only from modules told before it, never Dagster."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mmm_engine

ROOT = Path(mmm_engine.__file__).parent

# Reading order. A module may import from those before it.
ORDER = [
    "errors",
    "documents",
    "settings",
    "terms",
    "thresholds",
    "audit",
    "tables",
    "cells",
    "dates",
    "lift_tests",
    "config",
    "periods",
    "findings",
    "contract",
    "data",
    "recipes",
    "simulated_media",
    "simulate",
    "scaling",
    "compiler",
    "arrays",
    "transforms",
    "priors",
    "prior_draws",
    "densities",
    "structure",
    "calendar_terms",
    "model",
    "reference",
    "supports",
    "levels",
    "coordinates",
    "machine_code",
    "kernel",
    "time_budget",
    "convergence",
    "sampler",
    "parameters",
    "chains",
    "forward",
    "predict",
    "plausibility",
    "metrics",
    "naive",
    "calibration",
    "returns",
    "drift",
    "gates",
    "canary",
    "fleets",
    "history_tables",
    "history_files",
    "ledger",
    "history",
    "report",
    "toolkit",
]


def _modules() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


def _imports(path: Path) -> set[str]:
    """First part below mmm_engine of everything the module imports at any level, type checking included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        names |= {name.split(".")[1] for name in modules if name.startswith("mmm_engine.")}
        names |= {"dagster" for name in modules if name.split(".")[0] in ("dagster", "mmm_assets")}
    return names


def test_every_module_has_its_place() -> None:
    """A new module joins the order, and nothing in the order is gone."""
    assert set(_modules()) == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_imports_go_one_way(name: str) -> None:
    """No import of a later module, none of Dagster or the code location."""
    allowed = set(ORDER[: ORDER.index(name) + 1])
    for path in _modules().get(name, []):
        assert _imports(path) <= allowed, path.name


def test_modules_stay_readable() -> None:
    """No module of the engine outgrows 450 lines; most are far below."""
    long = {path.name: len(path.read_text().splitlines()) for paths in _modules().values() for path in paths}
    assert {name: lines for name, lines in long.items() if lines > 450} == {}
