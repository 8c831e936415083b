"""What `mkdocs build` does beside the usual: pages from elsewhere in the repository, links, diagrams, checks.

Here: the steps that mkdocs calls by name (https://www.mkdocs.org/dev-guide/plugins/#events).
Not here: pages, their order and the theme (mkdocs.yml), words about checks (mmm_engine.scores.advice).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
ELSEWHERE = {  # page of the site -> file of the repository that it is made of
    "index.md": "README.md",
    "changes.md": "CHANGELOG.md",
    "compiler.md": "mmm_engine/compiler/README.md",
    "deploy.md": "deploy/README.md",
}
CHECKS = "<!-- every check, from mmm explain -->"
FENCE = re.compile(r"^(```.*?^```$)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MATHJAX = re.compile(r"<script data-mkdocs-jupyter-mathjax=.*?</script>", re.DOTALL)
LOADS = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data)\s*=\s*[\"']?(?:https?:)?//"
    r"|<link\b(?![^>]*rel=[\"']?canonical)[^>]*?href\s*=\s*[\"']?(?:https?:)?//"
    r"|https?://[^\s\"'&<>]+\.m?js\b"  # the address of a script that another script would fetch
    r"|@import\s+[\"']?(?:url\()?[\"']?(?:https?:)?//|url\([\"']?(?:https?:)?//",
    re.IGNORECASE,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages that are files elsewhere in the repository join those of the folder."""
    from mkdocs.structure.files import File

    for name, source in ELSEWHERE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page as the site shows it."""
    if page.file.src_uri.endswith(".ipynb"):
        return markdown
    if CHECKS in markdown:
        markdown = markdown.replace(CHECKS, every_check())
    return with_links_of_the_site(with_diagrams(markdown), page.file.src_uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """A notebook's page without the script that would fetch MathJax: no page has formulas for it."""
    return MATHJAX.sub("", output)


def on_post_build(config: MkDocsConfig) -> None:
    """The site opens without a network: a page that would load something from elsewhere ends the build."""
    from mkdocs.exceptions import PluginError

    site = Path(config.site_dir)
    if loads := [f"{name}: {what}" for name, what in loads_from_elsewhere(site)]:
        raise PluginError("these pages would load something from the network:\n" + "\n".join(loads))


def source_of(page: str) -> str:
    """The file of the repository that a page of the site is made of, by its path from the root."""
    return ELSEWHERE.get(page, f"docs/{page}")


def with_links_of_the_site(markdown: str, page: str) -> str:
    """A page with links that lead to pages of the site, as they lead to files in the repository.

    Links to files that are no pages (code, settings) become their text: the site does not hold them.

    Args:
        markdown: The page.
        page: Its path in the site.
    """
    pages = {source: name for name, source in ELSEWHERE.items()} | {"docs/README.md": "index.md"}
    folder, here = posixpath.dirname(source_of(page)), posixpath.dirname(page)

    def place(target: str) -> str | None:
        """Where a link leads in the site; None where it leads out of it."""
        file, _, fragment = target.partition("#")
        if re.match(r"[a-z]+:", target) or not file:
            return target
        path = posixpath.normpath(posixpath.join(folder, file))
        if path not in pages and not path.startswith("docs/") and (ROOT / path).exists():
            return None
        name = pages.get(path, path.removeprefix("docs/"))
        return posixpath.relpath(name, here or ".") + (f"#{fragment}" if fragment else "")

    def link(match: re.Match[str]) -> str:
        led = place(match[2])
        return match[1] if led is None else f"[{match[1]}]({led})"

    def image(match: re.Match[str]) -> str:
        return f"![{match[1]}]({place(match[2])})"

    parts = FENCE.split(markdown)
    return "".join(
        part if part.startswith("```") else LINK.sub(link, IMAGE.sub(image, part)) for part in parts
    )


def with_diagrams(markdown: str) -> str:
    """A page whose mermaid diagrams are pictures, drawn here so that a reader's browser needs no script for them."""

    def drawn(match: re.Match[str]) -> str:
        from mermaidx import render

        svg = render(match[1]).svg()
        name = (
            f"diagram-{match.start()}"  # styles inside are bound to the id: two diagrams of a page need two
        )
        svg = " ".join(svg.replace("my-svg", name).split())
        return f'<figure class="diagram" markdown="0">{svg}</figure>'

    return DIAGRAM.sub(drawn, markdown)


def every_check() -> str:
    """A section for each check, in the words of `mmm explain`."""
    from mmm_assets.cli.explain import explanation
    from mmm_engine.scores.advice import ADVICE

    def section(check: str) -> str:
        heading, *rows = explanation(check)
        name, subject = heading
        return "\n\n".join((f"### {name}: {subject}", *(f"**{label}** {text}" for label, text in rows)))

    return "\n\n".join(map(section, ADVICE))


def loads_from_elsewhere(site: Path) -> Iterator[tuple[str, str]]:
    """Pages and style sheets of a built site with what they would load from the network."""
    for path in sorted(site.rglob("*")):
        if path.suffix in (".html", ".css"):
            for match in LOADS.finditer(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(site)), match[0][:120]
