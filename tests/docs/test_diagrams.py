"""The diagrams and the table of wings in docs/architecture.md are those of the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.engine.test_layers import ORDER, imports, modules, wing

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
WORDS = {"errors", "version", "array_types"}  # everybody may use them; the diagram leaves them out
GROUND = set(ORDER["mmm_assets"][: ORDER["mmm_assets"].index("storage")])  # one box of the diagram
Arrow = tuple[str, str]


def diagram(kind: str) -> str:
    """The one diagram of a kind."""
    (text,) = re.findall(rf"```mermaid\nflowchart {kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return text


def arrows(text: str) -> set[Arrow]:
    """Solid arrows of a diagram; a box with several names in its label stands for each of them."""
    labels = dict(re.findall(r'(\w+)\["([^"]+)"\]', text))
    pairs = re.findall(r"^ *(\w+)(?:\[[^]]*\])? --> (\w+)", text, flags=re.MULTILINE)

    def boxes(name: str) -> list[str]:
        return [word.strip() for word in labels.get(name, name).split(",") if word.strip().isidentifier()]

    return {(start, end) for first, last in pairs for start in boxes(first) for end in boxes(last)}


def reachable(start: str, pairs: Iterable[Arrow]) -> set[str]:
    """Everything that arrows lead to from one box."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        following = {end for begin, end in pairs if begin == here} - found
        found |= following
        ahead += following
    return found


def wing_imports(package: str) -> set[Arrow]:
    """Which wing of a package imports which other one."""
    pairs = {
        (wing(module), wing(imported))
        for module, path in modules(package).items()
        for imported in imports(path)
        if imported.split(".")[0] == package
    }
    return {(first, last) for first, last in pairs if first and last and first != last and last not in WORDS}


@pytest.mark.parametrize("package", ORDER)
def test_table_of_wings_is_complete(package: str) -> None:
    """The table has every wing of the package, in the order of its imports."""
    (part,) = re.findall(rf"^### {package},.*?\n(.*?)^### ", PAGE, flags=re.DOTALL | re.MULTILINE)
    cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    assert [name for cell in cells for name in re.findall(r"`(\w+)`", cell)] == ORDER[package]


@pytest.mark.parametrize("package", ORDER)
def test_every_import_is_in_the_diagram(package: str) -> None:
    """Where a wing imports another one, arrows lead from the first to the second."""
    drawn = arrows(diagram("TB"))
    missing = {(first, last) for first, last in wing_imports(package) if last not in reachable(first, drawn)}
    assert {pair for pair in missing if not set(pair) <= GROUND} == set()


def test_every_arrow_of_the_wings_is_an_import() -> None:
    """Nothing is drawn that is not in the code; an arrow to the box of single modules stands for any of them."""
    real = wing_imports("mmm_engine") | wing_imports("mmm_assets")
    drawn = {pair for pair in arrows(diagram("TB")) if pair[1] not in GROUND}
    assert drawn - real == set()


def test_every_arrow_of_a_refresh_is_in_the_asset_graph() -> None:
    """The diagram of a refresh has only assets that exist, and arrows between them that Dagster knows."""
    from mmm_assets.definitions import defs

    graph = defs.resolve_asset_graph()
    real = {
        (parent.to_user_string(), key.to_user_string())
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
    }
    drawn = arrows(diagram("LR"))
    assert {pair for pair in drawn if pair[0] not in ("client", "files")} - real == set()
    assert {"client_data", "portfolio"} <= {name for pair in drawn for name in pair}


def test_arrows_are_read_from_text() -> None:
    """The reader of diagrams sees arrows, also of boxes with several names."""
    assert arrows('  a --> b["x, y"]\n  b --> c\n  c -.-> d\n') == {
        ("a", "x"),
        ("a", "y"),
        ("x", "c"),
        ("y", "c"),
    }
    assert reachable("a", {("a", "b"), ("b", "c"), ("d", "a")}) == {"b", "c"}
