"""README and docs name only what exists: links, files, modules, names in them, tests, commands, options, variables."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from mmm_assets.cli.app import app
from mmm_engine import PymcModel

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in (
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *sorted(DOCS.rglob("*.md")),
        *sorted((ROOT / "mmm_engine").rglob("*.md")),
    )
}
PACKAGES = ("mmm_engine", "mmm_assets", "tests")
LARGEST_IMAGE = 300_000  # bytes
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SUFFIXES = r"py|md|yaml|yml|csv|json|lock|toml|html|css|js|j2|svg|png"
FILE = re.compile(rf"[\w*./<>-]*\w\.(?:{SUFFIXES})")
DERIVED = re.compile(
    r"^(?:\$|quarantine/|schedules/|dagster_home/|site/|storage/|report/|metric_history|forecast_ledger|advice_ledger|advice_draws|~)|<"
)
# Files of a user, or of a home: named in examples, not part of the project.
OF_USERS = {
    "acme_plan.csv",
    "acme.csv",
    "data/acme.csv",
    "acme.yaml",
    "export.csv",
    "lift.csv",
    "client.csv",
    "client.yaml",
    "notices.yaml",
    "home.json",
}


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", text)


def code_spans(text: str) -> list[str]:
    """Inline code of a page."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks of a page in one of some languages."""
    return [block for language, block in FENCE.findall(text) if language in languages]


def anchor(heading: str) -> str:
    """The fragment that a heading is reached by."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Links of a page to files or headings that do not exist."""
    for target in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists():
            yield target
        elif fragment:
            headings = re.findall(r"^#+ (.+)$", prose(path.read_text()), flags=re.MULTILINE)
            if fragment not in map(anchor, headings):
                yield target


@cache
def project_files() -> frozenset[str]:
    """Paths of the files of the project, from its root, without what tools keep in hidden folders."""
    tops = [
        path for path in ROOT.iterdir() if not path.name.startswith(".") or path.name in (".ci", ".github")
    ]
    paths = [path for top in tops for path in (top.rglob("*") if top.is_dir() else [top])]
    return frozenset(str(path.relative_to(ROOT)) for path in paths if path.is_file())


def missing_files(text: str) -> Iterator[str]:
    """Files and folders of the project that a page names and that do not exist."""
    for span in code_spans(text):
        for name in FILE.findall(span):
            if DERIVED.search(span) or name in OF_USERS or "*" in name:
                continue
            if not any(path == name or path.endswith(f"/{name}") for path in project_files()):
                yield name
        folder = re.fullmatch(r"([\w./]+)/(?:\{.*\})?", span)
        if folder and not DERIVED.search(span):
            inside = folder.group(1)
            if not any(f"/{path}".find(f"/{inside}/") >= 0 for path in project_files()):
                yield span


@cache
def names_in(path: Path) -> frozenset[str]:
    """Everything that a module defines or imports at its top level, with the attributes of its classes."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.split(".")[0])
    return frozenset(names)


def missing_names(text: str) -> Iterator[str]:
    """Dotted names (`mmm_engine.posterior.fit.fit`) that lead nowhere."""
    for span in code_spans(text) + blocks(text, "python", "mermaid"):
        for dotted in re.findall(rf"\b(?:{'|'.join(PACKAGES)})(?:\.\w+)+", span):
            parts = dotted.split(".")
            if parts[-1] in SUFFIXES.split("|"):
                continue
            place = ROOT / parts[0]
            rest = parts[1:]
            while rest and (place / rest[0]).is_dir():
                place /= rest.pop(0)
            if rest and (place / f"{rest[0]}.py").is_file():
                place /= f"{rest.pop(0)}.py"
            module = place / "__init__.py" if place.is_dir() else place
            if rest and not set(rest) <= names_in(module):
                yield dotted


def wrong_commands(text: str) -> Iterator[str]:
    """Commands `mmm …` and `make …` of a page that do not exist, or do not have the options they are shown with."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shown = (block.replace("\\\n", " ") for block in blocks(text, "", "bash", "sh"))
    lines = [line for block in shown for line in block.splitlines()]
    for line in [*code_spans(text), *lines]:
        words = shlex.split(line.lstrip("$ "), comments=True) if re.match(r"\$? ?(mmm|make) ", line) else []
        if words[:1] == ["make"] and words[1] not in targets:
            yield line
        if words[:1] == ["mmm"] and words[1] != "--help":
            command = commands.get(words[1])
            known = {option for param in command.params for option in param.opts} if command else set()
            asked = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
            if command is None or not asked <= known | {"--help"}:
                yield line


@cache
def variables_read() -> frozenset[str]:
    """Names of environment variables that the sources hold."""
    sources = [path for package in ("mmm_engine", "mmm_assets") for path in (ROOT / package).rglob("*.py")]
    return frozenset(name for path in sources for name in re.findall(r'"([A-Z_]{5,})"', path.read_text()))


def unknown_variables(text: str) -> set[str]:
    """Environment variables of the platform in a page that no source file reads."""
    return set(re.findall(r"\$((?:MMM|DAGSTER)_[A-Z_]+)", text)) - variables_read() - {"MMM_WEBHOOK_URL"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page has a file, and every fragment a heading."""
    assert list(broken_links(PAGES[page], PAGES[page].read_text())) == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_and_names_exist(page: str) -> None:
    """Files, folders, modules and names in them are those of today's code."""
    text = PAGES[page].read_text()
    assert [*missing_files(text), *missing_names(text)] == []


def test_moved_names_are_where_the_changes_say() -> None:
    """The right column of the table of moved names, with short names beside full ones, leads to today's code."""
    rows = re.findall(
        r"^\| (`mmm_.+) \| (`mmm_.+) \|$", PAGES["CHANGELOG.md"].read_text(), flags=re.MULTILINE
    )
    assert len(rows) > 10
    for _, now in rows:
        full, *others = re.findall(r"`([\w.]+)`", now)
        module = full.rpartition(".")[0]
        names = [name if "." in name else f"{module}.{name}" for name in (full, *others)]
        assert list(missing_names(" ".join(f"`{name}`" for name in names))) == []


@pytest.mark.parametrize("page", PAGES)
def test_named_tests_exist(page: str) -> None:
    """A test that a page points to is there under that name."""
    named = set(re.findall(r"`(test_\w+)`", PAGES[page].read_text()))
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py")) if named else ""
    assert {name for name in named if f"def {name}(" not in tests} == set()


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    """Commands, targets of make, options and environment variables are those of today."""
    text = PAGES[page].read_text()
    assert list(wrong_commands(text)) == []
    assert unknown_variables(text) == set()


def test_readme_names_every_command_of_a_user() -> None:
    """Every command of `mmm` is in README."""
    text = (ROOT / "README.md").read_text()
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert [name for name in commands if f"mmm {name}" not in text] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "```python" in PAGES[page].read_text()])
def test_python_examples_fit_the_code(page: str) -> None:
    """Python examples parse; imports of the project exist; PymcModel takes the arguments it is shown with."""
    for block in blocks(PAGES[page].read_text(), "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PymcModel":
                known = inspect.signature(PymcModel).parameters
                assert {word.arg for word in node.keywords} <= set(known)
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "model"
            ):
                assert hasattr(PymcModel, node.attr)


@pytest.mark.parametrize("path", sorted((DOCS / "images").iterdir()), ids=lambda path: path.name)
def test_images_are_small_and_used(path: Path) -> None:
    """A picture is small, some page shows it, and it loads nothing."""
    assert path.stat().st_size < LARGEST_IMAGE
    assert any(f"images/{path.name}" in page.read_text() for page in PAGES.values())
    if path.suffix == ".svg":
        assert not re.search(r"(?:href=|url\(|@import)\W*https?:", path.read_text())


def test_every_page_is_in_the_index() -> None:
    """docs/README.md leads to every page, and the index of decisions to every decision."""
    for folder in (DOCS, DOCS / "decisions"):
        index = (folder / "README.md").read_text()
        pages = [path.name for path in folder.glob("*.md") if path.name != "README.md"]
        assert [name for name in pages if f"]({name}" not in index] == []


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.name)
def test_decisions_have_their_form(path: Path) -> None:
    """A decision has its number, a date, a status and four sections with something in each."""
    text = path.read_text()
    assert text.startswith(f"# {path.name[:4]} · ")
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d\n- Status: \S", text, flags=re.MULTILINE)
    sections = dict(re.findall(r"^## ([^\n]+)\n\n(.+?)(?=\n## |\Z)", text, flags=re.DOTALL | re.MULTILINE))
    assert list(sections) == ["Choice", "Why", "Given up", "What would change our mind"]
    assert all(len(body.strip()) > 5 for body in sections.values())


def test_decisions_are_numbered_without_gaps() -> None:
    """Numbers run from 1, each once."""
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "decisions").glob("0*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_faults_are_noticed() -> None:
    """The checks above find what they look for."""
    page = ROOT / "README.md"
    assert list(broken_links(page, "[a](nowhere.md) [b](README.md#no-such) [c](README.md#read-on)")) == [
        "nowhere.md",
        "README.md#no-such",
    ]
    assert list(
        missing_files("`mmm_engine/nowhere.py` `fit.py` `mmm_engine/nothing/` `mmm_engine/rows/`")
    ) == [
        "mmm_engine/nowhere.py",
        "mmm_engine/nothing/",
    ]
    assert list(missing_names("`mmm_engine.posterior.fit.fit` `mmm_engine.posterior.fit.fits`")) == [
        "mmm_engine.posterior.fit.fits"
    ]
    assert list(wrong_commands("`mmm fly` `mmm refresh a --wings` `mmm refresh a --draws 5` `make fly`")) == [
        "mmm fly",
        "mmm refresh a --wings",
        "make fly",
    ]
    assert unknown_variables("$MMM_NOTHING $MMM_CACHE_DIR") == {"MMM_NOTHING"}
