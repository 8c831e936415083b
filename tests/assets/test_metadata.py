"""What the UI shows of a stored value."""

from __future__ import annotations

from mmm_assets.metadata import markdown_table


def test_a_table_in_markdown_has_three_digits_and_harmless_text() -> None:
    """Names of clients cannot end a cell, start a tag or a link; what is not known is a dash."""
    rows = [{"channel": "tv|x <b> [a](b)", "today": 12345.678, "marginal": None, "more": 1}]
    lines = markdown_table(rows, ("channel", "today", "marginal")).value.splitlines()
    assert lines[0] == "| channel | today | marginal |"
    assert lines[2] == r"| tv\|x \<b\> \[a\](b) | 12,300 | – |"
