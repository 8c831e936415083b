"""What the site makes of the pages: links, diagrams, the words on checks, nothing from the network."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from mmm_engine.scores.advice import ADVICE

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "making" / "hooks.py")
hooks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(hooks)


def nav_pages(entries: list) -> list[str]:
    """Pages of the site's navigation, in order."""
    values = [value for entry in entries for value in entry.values()]
    return [page for value in values for page in (nav_pages(value) if isinstance(value, list) else [value])]


def navigation() -> list[str]:
    """The same from mkdocs.yml, whose tags only mkdocs reads."""
    text = (ROOT / "mkdocs.yml").read_text()
    return nav_pages(yaml.safe_load(text[text.index("\nnav:\n") : text.index("\nnot_in_nav:")])["nav"])


@pytest.mark.parametrize(
    ("page", "link", "led"),
    [
        ("notebook.md", "[a](../README.md)", "[a](index.md)"),
        ("notebook.md", "[a](README.md#x)", "[a](index.md#x)"),
        ("index.md", "[a](docs/scores.md#checks)", "[a](scores.md#checks)"),
        ("index.md", "![a](docs/images/refresh.svg)", "![a](images/refresh.svg)"),
        ("decisions/0001-own-log-density.md", "[a](../../CHANGELOG.md)", "[a](../changes.md)"),
        ("compiler.md", "[a](../../docs/architecture.md)", "[a](architecture.md)"),
        ("scores.md", "[the code](../mmm_engine/posterior/explanations.py)", "the code"),
        ("scores.md", "[a](nowhere.md)", "[a](nowhere.md)"),  # stays broken, which ends the build
        ("scores.md", "[a](https://example.org/x) [b](#checks)", "[a](https://example.org/x) [b](#checks)"),
        ("scores.md", "```\n[a](../README.md)\n```", "```\n[a](../README.md)\n```"),
    ],
)
def test_links_lead_to_pages_of_the_site(page: str, link: str, led: str) -> None:
    """A link of the repository leads to the page made of the file; code that is no page becomes text."""
    assert hooks.with_links_of_the_site(link, page) == led


def test_checks_stand_in_the_words_of_the_command_line() -> None:
    """Every check has its section, with each line of `mmm explain`."""
    from mmm_assets.cli.explain import explanation

    sections = re.split(r"^### ", hooks.every_check(), flags=re.MULTILINE)[1:]
    assert [section.split(":")[0] for section in sections] == list(ADVICE)
    for check, section in zip(ADVICE, sections, strict=True):
        (_, subject), *rows = explanation(check)
        assert [subject in section, *(text in section for _, text in rows)] == [True] * (len(rows) + 1)
    assert hooks.CHECKS in (ROOT / "docs" / "reading-a-report.md").read_text()


def test_a_diagram_is_drawn_without_a_script() -> None:
    """Names of boxes are in the picture; two diagrams of a page have styles of their own."""
    fence = "```mermaid\nflowchart LR\n  rows --> model\n```\n"
    page = hooks.with_diagrams(f"# Page\n\n{fence}\n{fence}")
    assert "```" not in page
    assert "<script" not in page
    assert page.count("<svg") == 2
    assert {"rows", "model"} <= set(re.findall(r">(\w+)<", page))
    assert len(set(re.findall(r'<svg id="([^"]+)"', page))) == 2


@pytest.mark.parametrize(
    ("markup", "count"),
    [
        ('<script src="https://example.org/x.js"></script>', 1),
        ('<link rel="stylesheet" href="//example.org/x.css">', 1),
        ("<img alt='a' src=http://example.org/x.png>", 1),
        (
            "<style>@import url('https://example.org/x.css'); b { background: url(//example.org/y) }</style>",
            2,
        ),
        ('<script>fetch("https://example.org/x.mjs")</script>', 1),
        ('<a href="https://example.org">a page that a reader may go to</a>', 0),
        ('<script src="assets/x.js"></script><img src="data:image/png;base64,AA">', 0),
    ],
)
def test_a_page_that_loads_from_the_network_is_found(tmp_path: Path, markup: str, count: int) -> None:
    """Scripts, styles and pictures; links are no loading. What is found ends the build."""
    (tmp_path / "page.html").write_text(markup)
    assert len(list(hooks.loads_from_elsewhere(tmp_path))) == count


def test_every_page_is_in_the_navigation() -> None:
    """A page that nothing leads to is not read; those on single decisions have an index."""
    pages = {path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".ipynb")}
    assert set(navigation()) == pages - {"README.md"} | set(hooks.ELSEWHERE) | {"decisions/README.md"}


def test_the_guide_is_kept_without_results() -> None:
    """They are made anew with each build: stored ones would be those of an older version."""
    cells = json.loads((ROOT / "docs" / "guide.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 8
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
