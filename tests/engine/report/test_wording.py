"""Claims about how numbers and names are written, whatever they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.report import numbers, wording
from mmm_engine.report.content import build_content
from mmm_engine.report.page import Column, ReportContent, table_of, write_cell
from mmm_engine.report.subject import Subject
from tests.engine.report.report_cases import HOSTILE, hostile_inputs, ms_inputs


def test_cells_write_what_their_column_means() -> None:
    """A share is a percentage, a missing number is said to be missing."""
    assert write_cell(0.0978, "share") == "9.8%"
    assert write_cell(float("nan"), "share") == "not defined"
    assert write_cell(1234567.0, "number") == "1,234,567"


def test_tables_keep_missing_values(content: ReportContent) -> None:
    """NaN in a frame is an empty cell that says so, never a dropped row."""
    table = table_of(pd.DataFrame({"a": [1.0, np.nan]}), "t", {"a": Column("A")})
    assert table.rows == ((1.0,), (None,))
    assert table.written() == [["1"], ["not defined"]]


@given(st.text(max_size=400))
def test_display_names_are_one_bounded_line(name: str) -> None:
    """Whatever a column is called, its label is short, on one line, without control characters."""
    label = wording.display_name(name, 30)
    assert 0 < len(label) <= 32  # two more when isolated
    assert not any(character in label for character in "\n\r\t\x00\u2028")
    label.encode()


@given(st.lists(st.text(max_size=60), min_size=1, max_size=12))
def test_labels_never_merge_two_names(names: list[str]) -> None:
    """Two columns that look alike keep labels of their own."""
    labels = wording.display_names(names, 20)
    assert len(set(labels.values())) == len(set(names))


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_never_raw(value: float) -> None:
    """No 'nan', 'inf' or twenty digits reach a reader."""
    for text in (
        numbers.compact(value),
        numbers.grouped(value),
        numbers.percent(value),
        numbers.decimal(value),
    ):
        assert "nan" not in text
        assert "inf" not in text
        assert len(text) <= 24


def test_hostile_names_make_a_report() -> None:
    """Names that try to be code are shortened and isolated, and nothing else changes."""
    content = build_content(hostile_inputs())
    assert [chart.id for chart in content.charts] == [chart.id for chart in build_content(ms_inputs()).charts]
    labels = Subject(hostile_inputs()).labels
    assert len({labels[name] for name in HOSTILE.values()}) == len(HOSTILE)
