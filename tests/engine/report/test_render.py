"""Claims about the page: complete, self-contained, and blind to markup in names."""

from __future__ import annotations

import html
import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest

from mmm_engine.report import bundle
from mmm_engine.report.bundle import check_report
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import FIGURES, draw_charts
from mmm_engine.report.figures.style import label, labels_of
from mmm_engine.report.palette import PALETTE, color, dark_colors
from mmm_engine.report.render import build_report, render_report, write_report
from tests.engine.report.report_cases import HOSTILE, hostile_inputs, leads_inputs, ms_inputs

LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("object", "data"),
           ("source", "src"), ("video", "src"), ("audio", "src"), ("embed", "src"), ("form", "action")}  # fmt: skip


class Skimmer(HTMLParser):
    """What a browser would see: tags, things that load, text, and the content of data scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.tags: dict[str, int] = {}
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._script: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count the tag, keep what it loads and what it would run."""
        values = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.ids += [values["id"]] if values.get("id") else []
        self.loads += [str(values[name]) for kind, name in LOADING if kind == tag and values.get(name)]
        self.handlers += [name for name in values if name.startswith("on")]
        self._script = values if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        """Leave the script."""
        self._script = None

    def handle_data(self, data: str) -> None:
        """Keep text and scripts apart."""
        if self._script is not None:
            self.scripts.append((self._script, data))
        else:
            self.text.append(data)


@lru_cache(maxsize=4)
def skim(page: str) -> Skimmer:
    """The page as parsed."""
    skimmer = Skimmer()
    skimmer.feed(page)
    return skimmer


@pytest.fixture(scope="module")
def page() -> str:
    """The analyst's report of the 13-channel client."""
    return build_report(ms_inputs())


@pytest.fixture(scope="module")
def hostile() -> str:
    """The same with hostile names."""
    return build_report(hostile_inputs())


def test_page_loads_nothing(page: str) -> None:
    """No element of the page has an address to load from, and its policy allows none."""
    assert set(skim(page).loads) <= {"data:,"}
    assert "url(" not in page.split("</style>")[0]
    assert "default-src 'none'" in html.unescape(page)
    assert "connect-src" not in page  # so default-src 'none' rules it


def test_page_is_below_six_megabytes(page: str) -> None:
    """Small enough to mail: plotly travels packed."""
    assert len(page.encode()) < 6_000_000
    assert len(page.encode()) < 3_500_000


def test_page_passes_the_gate(page: str, hostile: str) -> None:
    """The platform's own check of reports accepts it, hostile names or not."""
    assert check_report(page).passed
    assert check_report(hostile).passed


def test_page_has_every_section_and_chart(page: str) -> None:
    """Each section, item and chart of the content has its place, and the navigation leads to it."""
    content = build_content(ms_inputs())
    ids = skim(page).ids
    for section in content.sections:
        assert section.id in ids
        assert f'href="#{section.id}"' in page
        assert {item.id for item in section.items} <= set(ids)
    for chart in content.charts:
        assert {f"plot-{chart.id}", f"plot-{chart.id}-figure"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_page_is_deterministic() -> None:
    """The same inputs give the same bytes."""
    assert build_report(leads_inputs()) == build_report(leads_inputs())


def test_client_page_leads_to_the_diagnostics_by_link_only(page: str) -> None:
    """The analyst's report beside it is one click away; a page that lies alone has no dead link."""
    client = build_report(ms_inputs(), audience="client", diagnostics="ms.html")
    assert client.count('href="ms.html"') == 1
    assert check_report(client).passed
    assert 'href="ms.html"' not in build_report(ms_inputs(), audience="client")
    assert not {"sampler", "checks", "provenance"} & set(skim(client).ids)


def test_policy_allows_exactly_the_scripts_of_the_page(page: str) -> None:
    """The hash of the page's script stands in its policy, so no other script can run."""
    [source] = [text for attributes, text in skim(page).scripts if "type" not in attributes]
    assert bundle.script_hash(source) in html.unescape(page)
    assert bundle.plotly_library().script_hash in html.unescape(page)
    assert "unsafe-inline" not in re.search(r"script-src ([^;]*)", html.unescape(page))[1]  # type: ignore[index]


def test_tables_are_readable_without_eyes(page: str) -> None:
    """Every table has a caption, column headings and row headings; every chart a text alternative."""
    tags = skim(page).tags
    assert tags["table"] == tags["caption"] == tags["thead"]
    assert page.count('scope="col"') > tags["table"]
    assert page.count('scope="row"') > tags["table"]
    assert page.count('role="img"') == len(build_content(ms_inputs()).charts)
    assert {"main", "nav", "header", "footer"} <= set(tags)
    assert tags["h1"] == 1


def test_figures_in_the_page_are_json(page: str) -> None:
    """Every figure parses, has traces, and none carries plotly's own large template."""
    figures = [
        text for attributes, text in skim(page).scripts if str(attributes.get("id", "")).endswith("-figure")
    ]
    assert len(figures) == len(build_content(ms_inputs()).charts)
    for text in figures:
        figure = json.loads(text)
        assert figure["data"]
        assert len(json.dumps(figure["layout"]["template"])) < 2000


# --- hostile names ------------------------------------------------------------------------------


def test_hostile_names_add_no_element(page: str, hostile: str) -> None:
    """Names with markup add no script, image, link or handler to the page."""
    assert skim(hostile).tags.get("img") is None
    assert skim(hostile).handlers == []
    assert skim(hostile).tags["script"] == skim(page).tags["script"]
    assert skim(hostile).tags["a"] == skim(page).tags["a"]


def test_hostile_names_stand_in_the_text(hostile: str) -> None:
    """They are shown as they are, not dropped: template fields stay unevaluated."""
    text = "".join(skim(hostile).text)
    assert HOSTILE["snapchat_cost"] in text
    assert "{{ 7*7 }} {% raw %} %{x} ${y} <b>bold</b>" in text
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|(?<!\d)49 \{% raw", text)


def test_no_data_script_can_be_closed_early(hostile: str) -> None:
    """Inside script elements every < and & of a name is escaped."""
    for attributes, text in skim(hostile).scripts:
        if attributes.get("type") == "application/json":
            assert "<" not in text
            assert "&" not in text
            json.loads(text)


def test_right_to_left_names_are_isolated(hostile: str) -> None:
    """An override character cannot reorder the words around a name."""
    text = "".join(skim(hostile).text)
    assert "\u202e" in text
    for match in re.finditer("\u202e", text):
        before = text[: match.start()]
        assert before.count("\u2068") > before.count("\u2069")


def test_plotly_labels_are_escaped() -> None:
    """Tags, entities and template fields of a name are inert in a figure."""
    assert label("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert label("&lt;") == "&amp;lt;"
    assert "%{" not in label("%{x}")


def test_no_figure_holds_a_raw_hostile_label() -> None:
    """Every string of every figure is free of tags other than the line breaks we put there."""
    for drawing in draw_charts(build_content(hostile_inputs())).values():
        for figure in (drawing.wide, drawing.narrow):
            if figure is None:
                continue
            for text in strings(json.loads(figure.to_json())):
                bare = re.sub(r"</?extra>|<br>", "", text)
                assert "<" not in bare, bare
                assert "javascript:" not in re.findall(r"href='[^']*", bare)


def strings(value: object) -> list[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, list) else []


def test_long_names_that_begin_alike_stay_apart() -> None:
    """Two 300-letter channels keep bars of their own."""
    names = [HOSTILE["google_ads_search_brand_cost"], HOSTILE["google_ads_search_kids_cost"]]
    labels = labels_of(names, 30, width=15)
    assert len(set(labels.values())) == 2
    assert all(len(text) <= 40 for text in labels.values())


def test_json_for_scripts_escapes_what_html_reads() -> None:
    """The result is still the same JSON."""
    value = {"</script><!--": "\u2028&amp;"}
    text = bundle.script_json(value)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == value


# --- figures ------------------------------------------------------------------------------------


def test_every_figure_is_drawn_by_some_report() -> None:
    """The registry holds no figure that nobody draws, but for the two that need optional frames."""
    drawn = {chart.figure for chart in build_content(ms_inputs()).charts}
    assert set(FIGURES) - drawn == {"roas_against_effectiveness", "budget_moves", "budget_frontier"}


def test_figures_work_in_a_notebook() -> None:
    """A figure is a function of a tidy frame, with a height and no leftover default look."""
    figure = FIGURES["contribution_waterfall"](ms_inputs().decomposition, unit="EUR")
    assert isinstance(figure, go.Figure)
    assert figure.layout.height > 200
    assert sum(figure.data[0].x[:-1]) == pytest.approx(figure.data[0].x[-1])


def test_waterfall_ends_at_the_sum_of_its_parts() -> None:
    """Each bar starts where the one before it ended."""
    bars = FIGURES["contribution_waterfall"](ms_inputs().decomposition).data[0]
    for place in range(1, len(bars.x) - 1):
        assert bars.base[place] == pytest.approx(bars.base[place - 1] + bars.x[place - 1])


def test_every_colour_of_a_figure_has_a_dark_twin() -> None:
    """No figure keeps a colour that the page cannot turn for a dark background."""
    known = set(dark_colors())
    for name, drawing in draw_charts(build_content(ms_inputs())).items():
        for used in re.findall(r"rgba\((\d+,\d+,\d+),([\d.]+)\)", drawing.wide.to_json()):
            assert used[0] in known or used[1] == "0", (name, used)


def test_palette_has_enough_contrast() -> None:
    """Text colours reach 4.5:1 on their background, series colours 3:1 on white or dark (bars need no less)."""
    for token, minimum in (("ink", 7.0), ("muted", 4.5)):
        for place in (0, 1):
            assert contrast(PALETTE[token][place], PALETTE["paper"][place]) >= minimum
    for token in ("blue", "green", "vermillion"):
        assert contrast(PALETTE[token][0], "#ffffff") >= 3.0
    assert color("ink", 0.5).startswith("rgba(")


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two hex colours."""

    def light(hex_color: str) -> float:
        parts = [int(hex_color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_writing_leaves_no_draft(tmp_path: Path) -> None:
    """A page appears whole under its name."""
    path = write_report("<html></html>", tmp_path / "deep" / "ms.html")
    assert path.read_text(encoding="utf-8") == "<html></html>"
    assert [file.name for file in path.parent.iterdir()] == ["ms.html"]


def test_render_says_what_engine_wrote_it() -> None:
    """The foot of the page names the engine and plotly versions."""
    content = build_content(leads_inputs())
    page = render_report(content, draw_charts(content), engine_version="9.9.9")
    assert "mmm_engine 9.9.9" in page
    assert f"plotly.js {bundle.plotly_library().version}" in page
