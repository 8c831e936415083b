"""`mmm add` of files as people have them: what is kept of them in the client file, and what is said."""

import gzip

import pandas as pd
import pytest

from mmm_engine.client.client_file import read_client_config
from tests.assets.conftest import words_to_add


def written(folder, data_dir, change) -> tuple:
    """The rows of the client shop as another file; the words that add it, but for the client's name."""
    source = folder / "rows.csv"
    change(pd.read_csv(data_dir / "shop.csv")).to_csv(source, index=False, sep=";")
    return words_to_add(source)


def with_money(*words: str):
    """A change of the columns sales, tv and search: each number with its word before or after it."""

    def change(frame):
        for name, word in zip(("sales", "tv", "search"), words, strict=True):
            frame[name] = [word.format(f"{number:,.2f}") for number in frame[name]]
        return frame

    return change


@pytest.mark.parametrize(
    ("words", "options", "currency"),
    [
        (("€ {}", "€ {}", "{} EUR"), (), "EUR"),
        (("{} USD", "{}", "{}"), (), "USD"),
        (("${}", "${}", "${}"), (), "$"),
        (("{}", "{} kr", "{} kr"), (), "kr"),
        (("€ {}", "$ {}", "{}"), (), ""),
        (("{}", "{}", "{}"), (), ""),
        (("€ {}", "€ {}", "€ {}"), ("--currency", "Euro"), "Euro"),
    ],
)
def test_add_keeps_the_currency_that_cells_carry(mmm, data_dir, tmp_path, words, options, currency):
    """By its code where the sign has one only; not where columns differ, nor against what is said."""
    arguments = written(tmp_path, data_dir, with_money(*words))
    code, out, err = mmm("add", "june", *arguments, *options)
    assert code == 0, err
    assert read_client_config(data_dir / "june.yaml").currency == currency
    is_told = f"currency: {currency}, as cells say; kept in the client file" in out
    assert is_told == bool(currency and not options)


@pytest.mark.parametrize(
    ("said", "unsaid"),
    [((), "--date, --target, --channels"), (("--date", "date", "--channels", " "), "--target, --channels")],
)
def test_add_lists_the_columns_of_the_file_to_who_does_not_name_them(mmm, data_dir, said, unsaid):
    """Options that were missing came one at a time, and the file had to be opened elsewhere to fill them in."""
    code, _, err = mmm("add", "june", "--data", str(data_dir / "shop.csv"), *said)
    header = (data_dir / "shop.csv").read_text().splitlines()[0]
    assert code == 2
    assert f"{unsaid}: found nothing; wanted columns of the file" in err
    assert f"choose from those of shop.csv: {header.replace(',', ', ')}" in err
    assert not (data_dir / "june.yaml").exists()


def test_add_takes_packed_files_and_names_what_to_do_with_others(mmm, data_dir, tmp_path):
    """The copy keeps both endings; a folder and a format that is not read are told as such, with the way out."""
    packed, other = tmp_path / "Export.CSV.gz", tmp_path / "rows.jsonl"
    packed.write_bytes(gzip.compress((data_dir / "shop.csv").read_bytes()))
    other.write_text("{}")
    assert mmm("add", "june", *words_to_add(packed))[0] == 0
    assert read_client_config(data_dir / "june.yaml").data == "june.csv.gz"
    assert (data_dir / "june.csv.gz").read_bytes() == packed.read_bytes()
    assert mmm("check", "june")[0] == 0
    code, _, err = mmm("add", "july", *words_to_add(other))
    assert code == 2
    assert "write it as a table: pandas.read_json(path, lines=True).to_csv('rows.csv', index=False)" in err
    assert "found a folder; wanted a file" in mmm("add", "july", *words_to_add(tmp_path))[2]


def test_add_takes_blank_media_for_zero_when_it_is_told_to(mmm, data_dir, tmp_path):
    """It is kept, so that the next file is read alike; without the word they are refused with it."""
    frame = pd.read_csv(data_dir / "shop.csv").astype(object)
    frame.loc[3, "tv"] = ""
    frame.to_csv(tmp_path / "rows.csv", index=False)
    words = words_to_add(tmp_path / "rows.csv")
    code, _, err = mmm("add", "june", *words)
    assert code == 2
    assert "(mmm add: --blank-is-zero)" in err
    code, out, _ = mmm("add", "june", *words, "--blank-is-zero")
    assert code == 0
    assert "note: tv: 1 blank cell counts as 0" in out
    assert "csv: {blank_media_is_zero: true}" in (data_dir / "june.yaml").read_text()
    assert mmm("check", "june")[0] == 0


def test_add_keeps_the_currency_of_a_workbooks_formats(mmm, data_dir, tmp_path):
    """Its cells are numbers; the sign stands in how they are shown."""
    frame = pd.read_csv(data_dir / "shop.csv")
    with pd.ExcelWriter(tmp_path / "rows.xlsx") as book:
        frame.to_excel(book, index=False)
        for name in ("sales", "tv"):
            column = frame.columns.get_loc(name) + 1
            for row in range(2, len(frame) + 2):
                book.book.active.cell(row, column).number_format = "#,##0.00 [$€-407]"
    code, out, err = mmm("add", "june", *words_to_add(tmp_path / "rows.xlsx"))
    assert code == 0, err
    assert "currency: EUR, as cells say; kept in the client file" in out
    assert read_client_config(data_dir / "june.yaml").currency == "EUR"
