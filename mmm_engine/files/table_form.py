"""How a table was written: separator, decimal mark, order of dates, encoding, sheet.

Here: what somebody says of a file or what its cells show, in words too.
Not here: telling it from the cells (csv_text.py, decimal_marks.py, dates.py), the section of a client file
(client/config.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Separator = Literal[",", ";", "tab", "|"]
DecimalMark = Literal[".", ","]
DateOrder = Literal["day/month/year", "month/day/year", "year/month/day"]
Encoding = Literal["utf-8", "utf-16", "windows-1252"]

SEPARATORS: tuple[Separator, ...] = (",", ";", "tab", "|")
SEPARATOR_WORDS: dict[Separator, str] = {",": "','", ";": "';'", "tab": "tabs", "|": "'|'"}


@dataclass(frozen=True)
class TableForm:
    """How a table was written; None where nobody says and the cells decide.

    Attributes:
        separator: What stands between the cells of a CSV file.
        decimal: The decimal mark of numbers; the other mark may group thousands.
        dates: Order of day, month and year in dates that can be read in several ways.
        encoding: Of the text of a CSV file.
        sheet: Name of the sheet of a workbook.
    """

    separator: Separator | None = None
    decimal: DecimalMark | None = None
    dates: DateOrder | None = None
    encoding: Encoding | None = None
    sheet: str | None = None

    def beside_the_plain(self) -> TableForm:
        """The form without what a plain file has anyway: ',' between cells, a decimal point, UTF-8."""
        return TableForm(
            separator=None if self.separator == "," else self.separator,
            decimal=None if self.decimal == "." else self.decimal,
            dates=self.dates,
            encoding=None if self.encoding == "utf-8" else self.encoding,
            sheet=self.sheet,
        )

    def words(self) -> Iterator[str]:
        """What is not plain, in words.

        >>> list(TableForm(separator=";", decimal=",").words())
        ["columns are separated by ';'", 'numbers have a decimal comma']
        """
        unusual = self.beside_the_plain()
        if unusual.separator is not None:
            yield f"columns are separated by {SEPARATOR_WORDS[unusual.separator]}"
        if unusual.decimal is not None:
            yield "numbers have a decimal comma"
        if unusual.encoding is not None:
            yield f"text is in {unusual.encoding.upper()}"
        if unusual.sheet is not None:
            yield f"rows are those of the sheet '{unusual.sheet}'"
        if unusual.dates is not None:
            yield f"dates are {unusual.dates}"

    def written(self) -> str:
        """The form as a line of the client file, without the sheet, which is a setting of its own.

        >>> TableForm(separator=";", decimal=",").written()
        'csv: {separator: ";", decimal: ","}'
        """
        names = ("separator", "decimal", "dates", "encoding")
        said = {name: getattr(self.beside_the_plain(), name) for name in names}
        quoted = {
            name: f'"{text}"' if text in (",", ";", "|") else text for name, text in said.items() if text
        }
        return f"csv: {{{', '.join(f'{name}: {text}' for name, text in quoted.items())}}}"
