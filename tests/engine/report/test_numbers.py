"""Claims about the one rule for numbers: page, axis, tooltip and script write a quantity alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.report import numbers
from mmm_engine.report.content import build_content
from mmm_engine.report.figures import draw_charts
from mmm_engine.report.page import ReportContent
from tests.engine.report.report_cases import leads_inputs


@given(st.floats(min_value=1e-6, max_value=9.99e14), st.sampled_from(["", "EUR", "PLN", "views"]))
def test_no_exponent_and_no_hyphen_reach_a_reader(size: float, unit: str) -> None:
    """However large or small, and on both sides of 0."""
    for write in (numbers.compact, numbers.grouped, numbers.price):
        for value in (size, -size):
            text = write(value, unit)
            assert not re.search(r"\de[+-]?\d", text)
            assert "-" not in text
            assert text.startswith(numbers.MINUS) is (value < 0)


@given(st.floats(min_value=1e-5, max_value=1e14))
def test_short_numbers_keep_three_digits(size: float) -> None:
    """What is written is within half a percent of what is meant."""
    match = re.fullmatch(r"([\d.,]+)([kMBT]?)", numbers.compact(size))
    assert match
    read = float(match[1].replace(",", "")) * {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[match[2]]
    assert read == pytest.approx(size, rel=0.00501)


@pytest.mark.parametrize(
    ("value", "unit", "short", "each"),
    [
        (5.53, "EUR", "€5.53", "€5.53"),
        (5e9, "EUR", "€5B", "€5,000,000,000"),
        (3050.0, "", "3.05k", "3,050"),
        (-1234.0, "GBP", "−\u2060£1.23k", "−\u2060£1,234"),
        (0.5, "conversions", "0.5\xa0conversions", "0.50\xa0conversions"),
        (999.7, "CHF", "CHF\xa01k", "CHF\xa01,000"),
    ],
)
def test_money_has_its_sign_in_front(value: float, unit: str, short: str, each: str) -> None:
    """Currencies by sign or code before the number, other units behind it."""
    assert numbers.compact(value, unit) == short
    assert numbers.price(value, unit) == each


def test_axes_and_tooltips_follow_the_rule(content: ReportContent) -> None:
    """No axis and no tooltip of an amount lets plotly.js write it its own way ("5G", "500m", "3.05e+03")."""
    for report in (content, build_content(leads_inputs())):
        for name, drawing in draw_charts(report).items():
            for figure in filter(None, (drawing.wide, drawing.narrow)):
                text = figure.to_json()
                assert not re.search(r'"tickformat":"[^"]*s"', text), name
                assert not re.search(r"%\{[^}]*:[^}]*[sg]\}", text), name
