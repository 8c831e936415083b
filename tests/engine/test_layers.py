"""The layout is the story: a wing (package) imports only from wings below it, and no circle ties modules together.

The rule is over packages, so that a new module finds its place by the folder it stands in. It reads the sources,
imports inside functions and for type checking included.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 400  # lines of a module

# From the ground up. A wing may import from itself and from those before it.
ORDER = {
    "mmm_engine": [
        "errors",
        "version",
        "array_types",
        "distributions",
        "compiler",
        "files",
        "client",
        "rows",
        "simulation",
        "model",
        "posterior",
        "results",
        "scores",
        "decisions",
        "fleets",
        "history",
        "report",
        "toolkit",
    ],
    "mmm_assets": [
        "types",
        "dagster_private",
        "mirror",
        "home",
        "partitions",
        "runs",
        "metadata",
        "verdicts",
        "launching",
        "storage",
        "checks",
        "pages",
        "assets",
        "refreshes",
        "lifecycle",
        "automation",
        "definitions",
        "warm",
        "cli",
    ],
}


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    paths = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        paths[name.removesuffix(".__init__")] = path
    return paths


MODULES = {**modules("mmm_engine"), **modules("mmm_assets")}


def imports(path: Path) -> Iterator[str]:
    """Dotted names of the project's modules that a module imports, at any level."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


def wing(module: str) -> str:
    """First part of a dotted name below its package; empty for the package's own face."""
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("package", ORDER)
def test_every_wing_has_its_place(package: str) -> None:
    """A new wing joins the order, and nothing in the order is gone."""
    assert {wing(name) for name in modules(package)} - {""} == set(ORDER[package])


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in ORDER for name in ORDER[package]]
)
def test_imports_go_one_way(package: str, name: str) -> None:
    """No import of a later wing; the engine imports neither Dagster nor the code location."""
    order = ORDER[package]
    allowed = {"", *order[: order.index(name) + 1]}
    for module, path in modules(package).items():
        if wing(module) != name:
            continue
        for imported in imports(path):
            if imported.split(".")[0] == package:
                assert wing(imported) in allowed, f"{module} imports {imported}"
            elif package == "mmm_engine":
                assert imported.split(".")[0] not in ("dagster", "mmm_assets"), f"{module} imports {imported}"


def test_no_circle_ties_modules_together() -> None:
    """Inside a wing, too, imports go one way: modules can be put on floors."""
    left = {
        name: {found for found in imports(path) if found in MODULES} - {name}
        for name, path in MODULES.items()
    }
    faces = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    left = {name: needs - faces for name, needs in left.items()}
    while ready := [name for name, needs in left.items() if not needs]:
        for name in ready:
            del left[name]
        left = {name: needs.difference(ready) for name, needs in left.items()}
    assert left == {}


def test_modules_stay_readable() -> None:
    """No module outgrows 400 lines; most are far below."""
    lines = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


@pytest.mark.parametrize("name", [name for name, path in MODULES.items() if path.name == "__init__.py"])
def test_every_package_says_what_lives_there(name: str) -> None:
    """The docstring of a package names its content, what is elsewhere, and which way imports go."""
    text = ast.get_docstring(ast.parse(MODULES[name].read_text())) or ""
    assert len(text.splitlines()) >= 3, name


@pytest.mark.parametrize("name", MODULES)
def test_text_names_files_that_exist(name: str) -> None:
    """A file in a docstring or comment is one beside the module, or one counted from its package or the project."""
    path = MODULES[name]
    places = (path.parent, ROOT / name.split(".")[0], ROOT)
    named = re.findall(r"(?<![\w./{])(\w[\w/]*\.py)\b", path.read_text())
    assert [file for file in named if not any((place / file).is_file() for place in places)] == []
