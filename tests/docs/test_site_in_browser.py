"""A small site, made as the real one is and opened from its files: it loads nothing, searches, and fits a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.engine.report.browser import CHROMIUM, Browser, new_browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "index.md": "# Start\n\n![a picture](images/refresh.svg)\n\n[More](more.md#a-wide-table)\n",
    "more.md": "# More\n\n## A wide table\n\n| setting | type | default | range | meaning |\n|---|---|---|---|---|\n"
    + f"| `time_varying_intercept` | yes or no | `false` | {'`choice`, ' * 9} | {'word ' * 30} |\n\n"
    + "```mermaid\nflowchart LR\n  rows --> windows --> posterior --> results --> scores --> report\n```\n\n"
    + f"```\n{'a long line of code ' * 12}\n```\n\nCarry-over is told by its half-life.\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of all kinds with the real settings and steps; the notebook is shown as it is kept, without a run."""
    folder = tmp_path_factory.mktemp("docs")
    for part in ("making", "images"):
        shutil.copytree(DOCS / part, folder / part)
    shutil.copyfile(DOCS / "guide.ipynb", folder / "guide.ipynb")
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_DOCS_EXECUTE", "false")
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        config = load_config(
            str(DOCS.parent / "mkdocs.yml"),
            docs_dir=str(folder),
            site_dir=str(folder.parent / "site"),
            nav=[{"Start": "index.md"}, {"More": "more.md"}, {"Guide": "guide.ipynb"}],
            strict=False,
        )
    hooks = next(hook for hook in config.hooks.values() if hasattr(hook, "ELSEWHERE"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooks, "ELSEWHERE", {})
        config.plugins.on_startup(command="build", dirty=False)
        build(config)
    return Path(config.site_dir)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    with new_browser() as opened:
        yield opened


@pytest.mark.parametrize("name", ["index", "more", "guide"])
def test_a_page_loads_nothing_from_elsewhere(browser: Browser, site: Path, name: str) -> None:
    """Neither fonts nor scripts nor styles, and the browser has nothing to complain of."""
    with browser.tab() as page:
        page.open(site / f"{name}.html")
        assert [address for address in page.requests if not address.startswith(("file:", "data:"))] == []
        assert page.problems == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["index", "more", "guide"])
def test_a_page_fits_a_phone(browser: Browser, site: Path, name: str, dark: bool) -> None:
    """Nothing is wider than the screen: tables, diagrams and code scroll inside of it."""
    with browser.tab() as page:
        page.open(site / f"{name}.html", width=390, height=844, dark=dark)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_plots_of_the_guide_follow_the_scheme(browser: Browser, site: Path) -> None:
    """Turned over on a dark page, where a white one would glare; left as it is on a light one."""
    plot = (
        "(() => { const cell = document.createElement('div'); cell.className = 'jp-RenderedImage';"
        "const plot = document.createElement('img'); cell.append(plot);"
        "document.querySelector('.jupyter-wrapper').append(cell); return getComputedStyle(plot).filter; })()"
    )
    seen = {}
    for dark in (False, True):
        with browser.tab() as page:
            page.open(site / "guide.html", dark=dark)
            seen[dark] = page.evaluate(plot)
    assert seen[False] == "none"
    assert "invert(1)" in seen[True]


def test_search_works_in_files(browser: Browser, site: Path) -> None:
    """A word of a page leads to the page, though browsers start no worker in a file."""
    with browser.tab() as page:
        page.open(site / "index.html")
        page.evaluate("document.querySelector('.md-search__input').focus()")
        page.evaluate(
            "(() => { const field = document.querySelector('.md-search__input'); field.value = 'carry';"
            "field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true})); })()"
        )
        page.wait_for("document.querySelector('.md-search-result__link') !== null")
        found = page.evaluate("document.querySelector('.md-search-result__link').getAttribute('href')")
        assert "more.html" in found
