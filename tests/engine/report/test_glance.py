"""A report in one sentence and one picture."""

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from mmm_engine.report.glance import HEIGHT, POINTS, WIDTH, fit_picture, glance, sentence

SVG = "{http://www.w3.org/2000/svg}"


def predictions(rows: int, level: float = 100.0) -> pd.DataFrame:
    """A target that rises by one a row, predicted exactly, with an interval of ten to each side."""
    target = level + np.arange(float(rows))
    dates = pd.date_range("2024-01-01", periods=rows, freq="7D")
    return pd.DataFrame(
        {"date": dates, "actual": target, "mean": target, "q05": target - 10, "q95": target + 10}
    )


def lines(svg: str) -> list[list[tuple[int, int]]]:
    """Points of each line of a picture."""
    found = ET.fromstring(svg).iter(f"{SVG}polyline")
    return [[tuple(map(int, point.split(","))) for point in line.get("points").split()] for line in found]


def test_the_picture_shows_the_last_rows_inside_its_frame():
    """Two years at most; observed and predicted on top of each other, rising from left to right."""
    actual, mean = lines(fit_picture(predictions(150)))
    assert actual == mean
    assert len(actual) == POINTS
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in actual)
    assert [y for _, y in actual] == sorted((y for _, y in actual), reverse=True)


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_and_a_flat_target_draw(rows):
    """Nothing is divided by nothing."""
    frame = predictions(rows).assign(actual=5.0, mean=5.0, q05=5.0, q95=5.0)
    assert len(lines(fit_picture(frame))[0]) == rows


def test_a_row_without_target_leaves_a_gap():
    """The line of observations has a point less."""
    frame = predictions(10)
    frame.loc[3, "actual"] = np.nan
    actual, mean = lines(fit_picture(frame))
    assert (len(actual), len(mean)) == (9, 10)


def test_the_sentence_is_that_of_the_first_screen(ms):
    """The verdict, and why."""
    assert re.match(r"(Usable|Usable with care|Do not use)\. \S", sentence(ms))


def test_markdown_holds_the_picture_and_no_text_of_the_client(ms):
    """Dagster renders it as markup; small enough for an event log."""
    text = glance(ms)
    (picture,) = re.fullmatch(r"!\[[\w ().,]+\]\(data:image/svg\+xml;base64,([\w+/=]+)\)", text).groups()
    assert ms.target_name not in text
    assert ET.fromstring(base64.b64decode(picture)).tag == f"{SVG}svg"
    assert len(text) < 20_000
