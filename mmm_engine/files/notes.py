"""Notes below a table: "Source: the shop, 3 January", "Applied filters: year is 2024".

Here: telling one from a row that was cut off or lost its date.
Not here: leaving it out (table.py, rows/end_rows.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmm_engine.files.cells import is_blank
from mmm_engine.files.dates import looks_like_a_date

_WORD = r"[^\W\d_]{2,}"
_LABEL = re.compile(rf"{_WORD}\s*:")
_LONGEST = 1000  # characters that are looked at: the search for a label takes the square of them
_FEW_WORDS = 3  # "KW 12" and "12 Jan" may be what is left of a row


def is_note(cells: Sequence[object]) -> bool:
    """Whether the cells of a row are a text for people: a word and a colon, or at least three words, and no date.

    So are a text behind '#' or '*', and one without any letter or digit.

    >>> is_note(["Source: Ads", " 3 January"]), is_note(["KW 12"]), is_note(["2024-01-01", "see mail of Tom"])
    (True, False, False)
    """
    filled = [cell for cell in cells if not is_blank(cell)]
    if not filled or not isinstance(filled[0], str) or looks_like_a_date(filled[0]):
        return False
    text = " ".join(str(cell)[:_LONGEST] for cell in filled[:_LONGEST]).strip()[:_LONGEST]
    if text[0] in "#*" or not any(map(str.isalnum, text)):
        return True
    return _LABEL.search(text) is not None or len(re.findall(_WORD, text)) >= _FEW_WORDS
