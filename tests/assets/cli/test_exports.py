"""Claims about rows for other programs: numbers stay numbers, no text becomes a formula."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from mmm_assets.cli.exports import csv_text


@pytest.mark.parametrize(
    "text", ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1"]
)
def test_formulas_are_text(text: str) -> None:
    """A leading apostrophe is what spreadsheets show as plain text; headings count too."""
    written = csv_text(pd.DataFrame({"channel": [text, "tv"], text: [1.0, -2.5]}))
    read = pd.read_csv(io.StringIO(written), keep_default_na=False)
    assert list(read["channel"]) == [f"'{text}", "tv"]
    assert read.columns[1] == f"'{text}"
    assert list(read.iloc[:, 1]) == [1.0, -2.5]


def test_missing_text_stays_missing_and_numbers_in_text_stay() -> None:
    """NaN is an empty cell; "-5" is a number even as text."""
    written = csv_text(pd.DataFrame({"a": ["-5", None, "1e-3"]}))
    assert written.splitlines() == ["a", "-5", '""', "1e-3"]
