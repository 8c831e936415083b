"""Cells become numbers only when they can be read in one way."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files.cells import Rows
from mmm_engine.files.decimal_marks import decimal_mark
from mmm_engine.files.numbers import MAX_NUMBER, read_numbers

ISO = np.array(["2023-01-02", "2023-01-09", "2023-01-16", "NaT"], dtype="datetime64[D]")
ROWS = Rows((2, 3, 4, 5), ISO)


def read(*cells, mark="."):
    """The numbers and faults of a column of text."""
    rows = Rows(range(2, 2 + len(cells)), ISO)
    values, faults = read_numbers(pd.Series(cells, dtype=object), "tv", rows, mark)
    return values, [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0),
        ("-3.50", -3.5),
        ("+.5", 0.5),
        ("7.", 7.0),
        ("1e3", 1000.0),
        ("2.5E-3", 0.0025),
        ("007", 7.0),
        (" 4 ", 4.0),
        ("-0", 0.0),
        ("1e-400", 0.0),
    ],
)
def test_plain_numbers_are_read(text, number):
    """Signs, decimals and powers of ten; minus zero is zero."""
    values, faults = read(text)
    assert faults == []
    assert values[0] == number
    assert not np.signbit(values[0]) or number < 0


@pytest.mark.parametrize(
    ("mark", "text", "number"),
    [
        (".", "1,234", 1234.0),
        (".", "-1,234,567.8", -1234567.8),
        (".", "1 234 567.8", 1234567.8),
        (".", "1\u00a0234", 1234.0),
        (".", "1\u202f234.5", 1234.5),
        (".", "1\u2007234", 1234.0),
        (".", "1'000", 1000.0),
        (".", "$1,200.50", 1200.5),
        (".", "12 £", 12.0),
        (".", "-€12", -12.0),
        (".", "€ -12", -12.0),
        (".", "\N{MINUS SIGN}3.5", -3.5),
        (",", "3,5", 3.5),
        (",", "1.234,56", 1234.56),
        (",", "1.234", 1234.0),
        (",", "1 234,5", 1234.5),
        (",", "€ 61.234,50", 61234.5),
        (",", "61.234,50 €", 61234.5),
        (",", ",5", 0.5),
        (",", "12", 12.0),
        (None, "12", 12.0),
        (None, "1 234", 1234.0),
    ],
)
def test_numbers_of_spreadsheets_are_read_under_the_decimal_mark_of_their_file(mark, text, number):
    """Thousands in groups and currency signs mean one thing once the decimal mark is known."""
    values, faults = read(text, mark=mark)
    assert faults == []
    assert values[0] == number


@pytest.mark.parametrize(("text", "point", "comma"), [("1,234", "1234", "1.234"), ("1.234", "1.234", "1234")])
def test_a_number_that_can_be_read_in_two_ways_asks(text, point, comma):
    """Nothing is guessed: 1,234 may be a thousand or little more than one."""
    values, faults = read("7", text, mark=None)
    assert np.isnan(values[1])
    assert faults == [
        f"column 'tv', row 3 (2023-01-09): found '{text}', which is 1234 or 1.234; wanted numbers that can be read in "
        "one way only (nothing in the file tells the decimal mark); write 'csv: {decimal: \".\"}' if it is "
        f"{point}, 'csv: {{decimal: \",\"}}' if it is {comma} (mmm add: --decimal)"
    ]


def test_two_currencies_in_a_column_are_refused():
    """€1 and $1 are no numbers of one kind."""
    values, faults = read("€1", "$1", "€2")
    assert list(values[[0, 2]]) == [1.0, 2.0]
    assert faults[0].startswith(
        "column 'tv', row 3 (2023-01-09): found '$1'; wanted the same currency in every"
    )


@pytest.mark.parametrize(
    ("cells", "mark", "numbers"),
    [
        (["EUR 1,234.50", "-EUR 3", "EUR -4.5", "5"], ".", [1234.5, -3.0, -4.5, 5.0]),
        (["1.234,50 EUR", "3EUR"], ",", [1234.5, 3.0]),
        (["CHF 1'234.50", "CHF 5"], ".", [1234.5, 5.0]),
        (["kr 1 234", "5,50 kr"], ",", [1234.0, 5.5]),
        (["R$ 1.234,50", "R$ 2"], ",", [1234.5, 2.0]),
        (["US$5.10", "US$6"], ".", [5.1, 6.0]),
    ],
)
def test_a_currency_that_all_numbers_of_a_column_carry_is_left_out(cells, mark, numbers):
    """A code, a sign or a word; it tells nothing of the decimal mark and does not hide it."""
    assert decimal_mark([pd.Series(cells)], is_plain=False) == mark
    values, faults = read(*cells, mark=mark)
    assert (list(values), faults) == (numbers, [])


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["EUR 1", "CHF 2"], "row 3 (2023-01-09): found 'CHF 2'; wanted the same currency in every row (another row"),
        (["1 EUR", "$2"], "row 3 (2023-01-09): found '$2'; wanted the same currency in every row (another row has EUR"),
        (["5 TEUR", "6"], "row 2 (2023-01-02): found the text '5 TEUR'; wanted a number"),
        (["1.5M", "6"], "row 2 (2023-01-02): found the text '1.5M'; wanted a number"),
        (["5 kg", "6"], "row 2 (2023-01-02): found the text '5 kg'; wanted a number"),
        (["EUR", "6"], "row 2 (2023-01-02): found the text 'EUR'; wanted a number"),
    ],
)  # fmt: skip
def test_mixed_currencies_and_words_that_are_none_are_refused(cells, fault):
    """Thousands of euros and kilograms are other numbers."""
    faults = read(*cells)[1]
    assert faults[0].startswith(f"column 'tv', {fault}")


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from([".", ","]))
def test_a_grouped_number_reads_back_exactly(whole, cents, mark):
    """Under its decimal mark a number with groups of thousands is the number that was written, or asks."""
    other = "," if mark == "." else "."
    text = f"{whole:,}".replace(",", other) + f"{mark}{cents:02}"
    values, faults = read(text, mark=mark)
    assert faults == []
    assert values[0] == pytest.approx(float(f"{whole}.{cents:02}"), rel=1e-15)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "found a blank cell; wanted a number in every row; write 0 where nothing was spent or counted, otherwise "
         "look the number up"),
        ("NaN", "found a missing value ('NaN'); wanted a number in every row; write 0 where"),
        ("n/a", "found a missing value ('n/a'); wanted a number in every row"),
        ("-", "found a missing value ('-'); wanted a number in every row"),
        ("inf", "found an infinite value; wanted a finite number; replace it by the true number"),
        ("-Infinity", "found an infinite value; wanted a finite number"),
        ("1e400", "found an infinite value; wanted a finite number"),
        ("1e16", "found 1e+16; wanted a number up to 1e+15; check the unit of this column"),
        ("€ 61.234,50", "found the text '€ 61.234,50'; wanted a number"),
        ("1,2,345", "found the text '1,2,345'; wanted a number"),
        ("12,34", "found '12,34'; wanted a number with a decimal point, as most of the file has"),
        ("3,5 %", "found '3,5 %'; wanted a number without a percent sign; write plain numbers with a point"),
        ("12%", "found '12%'; wanted a number without a percent sign; write 12"),
        ("3,5", "found '3,5'; wanted a number with a decimal point, as most of the file has"),
        ("1.234,56", "found '1.234,56'; wanted a number with a decimal point"),
        ("(12)", "found '(12)'; wanted a number without brackets; write -12 if it is negative"),
        ("#REF!", "found the error '#REF!'; wanted a number, not an error; mend the formula and export again"),
        ("TRUE", "found the text 'TRUE'; wanted 1 or 0; write 1 for yes and 0 for no"),
        ("twelve", "found the text 'twelve'; wanted a number; write plain numbers such as 1234.5 (no units, no notes)"),
        ("12 TEUR", "found the text '12 TEUR'; wanted a number"),
        ("760.19-", "found '760.19-'; wanted a minus before the number; write -760.19"),
        ("<1", "found the bound '<1'; wanted a number; write 0 or what is usual below or above it"),
        ("1_000", "found the text '1_000'; wanted a number"),
        ("0x10", "found the text '0x10'; wanted a number"),
        ("١٢", "found the text '١٢'; wanted a number"),
        ("1.2.3", "found the text '1.2.3'; wanted a number"),
    ],
)  # fmt: skip
def test_other_cells_are_refused_with_the_remedy(text, fault):
    """What cannot be a number in a file with a decimal point says what it was taken for."""
    values, faults = read("1", text)
    assert np.isnan(values[1])
    assert faults[0].startswith(f"column 'tv', row 3 (2023-01-09): {fault}")


def test_faulty_cells_of_one_kind_are_one_fault_at_the_first_row():
    """A column full of percent signs is one line of the message, not two hundred."""
    _, faults = read("1%", "2", "abc", "3%")
    assert faults == [
        "column 'tv', row 2 (2023-01-02): found '1%' (and in 1 more row: 5); wanted a number without a percent sign; "
        "write 1",
        "column 'tv', row 4 (2023-01-16): found the text 'abc'; wanted a number; write plain numbers such as 1234.5 "
        "(no units, no notes)",
    ]


def test_typed_cells_are_read_and_their_gaps_are_faults():
    """What Parquet and frames bring: nullable numbers, booleans, decimals, categories."""
    for cells in (
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1.0, 2.0], dtype="float32"),
        pd.Series([decimal.Decimal(1), decimal.Decimal(2)]),
        pd.Series(["1", "2"], dtype="category"),
        pd.Series(["1", "2"], dtype="string"),
    ):
        values, faults = read_numbers(cells, "tv", ROWS)
        assert (list(values), faults) == ([1.0, 2.0], [])
    assert list(read_numbers(pd.Series([True, False]), "tv", ROWS)[0]) == [1.0, 0.0]
    missing = (
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, np.nan]),
        pd.Series([1.0, None], dtype=object),
        pd.Series([1, pd.NA], dtype=object),
    )
    for cells in missing:
        _, (fault,) = read_numbers(cells, "tv", ROWS)
        assert str(fault).startswith(
            "column 'tv', row 3 (2023-01-09): found a missing value; wanted a number in every"
        )


@pytest.mark.parametrize("cell", [[1], {"a": 1}, datetime.date(2023, 1, 2), 1j, b"1", object()])
def test_cells_of_other_types_are_refused(cell):
    """Lists, dates and the like are no numbers."""
    values, faults = read_numbers(pd.Series([cell], dtype=object), "tv", ROWS)
    assert np.isnan(values[0])
    assert "wanted a number" in str(faults[0])


def test_reading_does_not_change_what_was_given():
    """The cells of a frame stay the caller's."""
    cells = pd.Series([1.0, np.inf])
    read_numbers(cells, "tv", ROWS)
    assert list(cells) == [1.0, np.inf]


@given(st.floats(-MAX_NUMBER, MAX_NUMBER))
def test_a_written_float_reads_back_exactly(number):
    """No digit is lost between a file and the model."""
    values, faults = read(repr(number))
    assert faults == []
    assert values[0] == number


@given(st.text())
def test_any_text_is_a_number_or_a_fault(text):
    """Never both, never neither."""
    values, faults = read(text)
    assert np.isfinite(values[0]) != bool(faults)


def grouped(*cells, mark, said=False):
    """Numbers and faults of a column in a table whose other columns tell the decimal mark."""
    rows = Rows(range(2, 2 + len(cells)), np.full(len(cells), np.datetime64("NaT", "D")))
    values, faults = read_numbers(pd.Series(cells, dtype=object), "tv", rows, mark, is_mark_said=said)
    return values, [str(fault) for fault in faults]


@pytest.mark.parametrize("mark", [".", ","])
def test_thousands_grouped_by_what_is_a_decimal_mark_elsewhere_are_not_read(mark):
    """'818' and '1.257' in one column, '9.90' in another: read as decimals, one week would have 650 times another's."""
    cells = ["818", "1.257", "2.300", "-12.405", "99.120", "0"]
    _, (fault,) = grouped(*[cell.replace(".", mark) for cell in cells], mark=mark)
    assert f"found '1{mark}257', which is 1257 or 1.257 (and in 3 more rows: 4, 5, 6)" in fault
    assert "csv: {decimal:" in fault
    values, faults = grouped(*[cell.replace(".", mark) for cell in cells], mark=mark, said=True)
    assert faults == []
    assert values.tolist() == [818.0, 1.257, 2.3, -12.405, 99.12, 0.0]


@pytest.mark.parametrize(
    "cells",
    [
        ["818", "1.257", "2.3", "12.405", "99.123", "4.125"],  # as computers write three decimals
        ["818", "1.257", "2.300", "1250", "99.120", "4.125"],  # a whole number that is not grouped
        ["818", "0.257", "0.300", "0.405", "0.120", "0.125"],
        ["8.000", "1.257", "2.300", "12.405", "99.120", "4.125"],
        ["0", "1.257", "2.301", "12.405", "99.121", "4.125"],
        ["3", "1.257", "2.375", "4"],  # too few to tell
        ["818", "1,257", "2,300", "12,405", "99,120", "4,125"],  # by the other mark: groups in any case
    ],
)
def test_decimals_of_three_digits_are_read(cells):
    """Where any cell shows that the mark does not group."""
    assert grouped(*cells, mark=".")[1] == []


def test_a_percent_sign_is_told_with_the_number_in_the_form_of_the_file():
    """A decimal comma stays one."""
    assert read("9,64 %", mark=",")[1][0].endswith("wanted a number without a percent sign; write 9,64")


@pytest.mark.parametrize(
    ("text", "number"),
    [("12,34,567.50", 1_234_567.5), ("1,00,000", 100_000.0), ("-1,23,45,678", -12_345_678.0)],
)
def test_thousands_may_be_grouped_as_in_india(text, number):
    """Three digits, then two by two; such a number tells the decimal mark, also beside one that does not."""
    assert decimal_mark([pd.Series([text, "9,876"])], is_plain=True) == "."
    values, faults = read(text, "9,876")
    assert faults == []
    assert values.tolist() == [number, 9876.0]


@pytest.mark.parametrize("word", ["–", "—", "−", "n.a.", "k.A.", "(blank)", "\\N"])
def test_every_way_to_say_nothing_is_told_as_such(word):
    """A dash of any length is what spreadsheets show for nothing; whether that is 0 only a person knows."""
    _, (fault,) = read(word, "1")
    assert fault.startswith(f"column 'tv', row 2 (2023-01-02): found a missing value ({word!r})")
