"""Claims about figures as files: pages always, pictures where Kaleido is installed, one clear error otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmm_engine.errors import MMMError
from mmm_engine.report.figures import FIGURES
from mmm_engine.report.figures.export import save_figure
from tests.engine.report.report_cases import ms_inputs


@pytest.fixture(scope="module")
def figure():
    """A waterfall, drawn from nothing but its frame, as a notebook would."""
    return FIGURES["contribution_waterfall"](ms_inputs().decomposition)


def test_a_page_needs_no_further_package(figure, tmp_path: Path) -> None:
    """Interactive and self-contained."""
    path = save_figure(figure, tmp_path / "new" / "waterfall.html")
    assert "Plotly.newPlot" in path.read_text(encoding="utf-8")


def test_without_kaleido_a_picture_is_refused_in_words(figure, tmp_path: Path, monkeypatch) -> None:
    """What is missing, and the way around it."""
    monkeypatch.setattr("mmm_engine.report.figures.export.find_spec", lambda name: None)
    with pytest.raises(MMMError, match=r"no Kaleido.*pip install kaleido.*or write \.html"):
        save_figure(figure, tmp_path / "waterfall.png")
    assert not list(tmp_path.iterdir())


def test_an_unknown_ending_is_refused(figure, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(MMMError, match=r"ends in \.html or \.png"):
        save_figure(figure, tmp_path / "waterfall.docx")


def test_a_picture_is_drawn_where_kaleido_is(figure, tmp_path: Path) -> None:
    """A PNG of twice the asked width."""
    pytest.importorskip("kaleido", reason="Kaleido is not installed")
    data = save_figure(figure, tmp_path / "waterfall.png", width=800).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == 1600
