"""YAML files of any content become plain values with lines, or faults; never a traceback."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmm_engine.files.yaml_document import MAX_DOCUMENT_BYTES, parse_document, read_document, text_value


def only_fault(text):
    """The one fault of a text that cannot be read at all."""
    document = parse_document(text)
    assert not document.readable
    (fault,) = document.faults
    return str(fault)


def test_values_know_their_lines():
    """A message can name the line that an editor shows."""
    document = parse_document("client: ms\nmodel:\n  adstock:\n    max_lag: 4\nchannels:\n- a\n- b\n")
    assert document.line_of(("client",)) == 1
    assert document.line_of(("model", "adstock", "max_lag")) == 4
    assert document.line_of(("channels", 1)) == 7
    assert document.line_of(("model", "adstock", "kind")) == 3  # not there: the setting around it
    assert document.line_of(("nowhere",)) is None


def test_a_name_written_twice_is_a_fault_with_both_lines():
    """YAML itself would let the last one win in silence."""
    document = parse_document("seed: 1\nmodel: {n: 1}\nseed: 2\n")
    assert [str(fault) for fault in document.faults] == [
        "setting 'seed' (line 3): found a second value (the first is on line 1); wanted each setting once; "
        "delete one of the two"
    ]


def test_plain_words_stay_what_they_look_like():
    """Dates stay text, 1e-3 is a number, names of settings are text even when YAML thinks otherwise."""
    assert parse_document("a: 2023-01-02\nb: 1e-3\non: 3\n2024: x\n").values == {
        "a": "2023-01-02",
        "b": 0.001,
        "on": 3,
        "2024": "x",
    }


def test_numbers_are_what_people_read_in_them():
    """YAML 1.1 read 010 as 8 and 1:30 as 90, in silence; they are words, which no setting takes for numbers."""
    numbers = "a: 010\nb: 1:30\nc: 4_000\nd: 0x10\ne: -3\nf: .5\ng: 1.5e3\nh: 12e-3\ni: 0\nj: 007.5\nk: +.inf\nl: 1."
    assert parse_document(numbers).values == {
        "a": "010",
        "b": "1:30",
        "c": 4000,
        "d": 16,
        "e": -3,
        "f": 0.5,
        "g": 1500.0,
        "h": 0.012,
        "i": 0,
        "j": 7.5,
        "k": float("inf"),
        "l": 1.0,
    }


def test_a_tab_is_told_as_one():
    """It looks like the spaces that are meant."""
    assert only_fault("a:\t1").endswith("write spaces instead of the tab")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the file: found nothing"),
        ("- a\n- b\n", "the file: found a list instead of settings"),
        ("just words", "the file: found the text 'just words' instead of settings"),
        ("a: 1\n\tb: 2", "line 2: found text that breaks YAML"),
        ("a: [1, 2", "line 1: found text that breaks YAML"),
        ("a: &x [1]\nb: *x\n", "line 2: found text that breaks YAML (an alias"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: found text that breaks YAML"),
        ("[" * 50_000, "the file: found lists nested too deeply"),
        ("a: " + "9" * 10_000, "line 1: found text that breaks YAML ('9999"),
        ("a: 1\nb: !!float ''", "line 2: found text that breaks YAML (a tag (!!float), which this file"),
        ("a: !!bool maybe", "line 1: found text that breaks YAML (a tag (!!bool)"),
        ("a: !!timestamp x", "line 1: found text that breaks YAML (a tag"),
        ("a: !own x", "line 1: found text that breaks YAML (a tag (!own)"),
        ("a: !<\x1b[31m> x", "the file: found unacceptable character"),
        ("a: \0", "the file: found unacceptable character"),
        ("--- \na: 1\n---\nb: 2\n", "line 3: found text that breaks YAML"),
        ("? [1]\n: 2", "line 1: found text that breaks YAML"),
    ],
)
def test_what_is_no_mapping_is_one_fault(text, found):
    """Text that cannot be settings says where and why."""
    assert only_fault(text).startswith(found)


TAGS = (
    "bool",
    "int",
    "float",
    "binary",
    "timestamp",
    "omap",
    "pairs",
    "set",
    "str",
    "seq",
    "null",
    "value",
    "merge",
)
TAGGED = st.builds(
    "a: {}{} {}".format,
    st.sampled_from(["!!", "!", "! "]),
    st.sampled_from(TAGS),
    st.sampled_from(["''", "maybe", "[x]", "{x}", "'é'", "-", "0x", ":"]),
)


@given(st.one_of(st.text(), st.text(alphabet="ab:-[]{}&*!|>?#%@`'\"\n\t ,019.~<"), TAGGED))
def test_any_text_gives_a_document(text):
    """No text raises."""
    document = parse_document(text)
    assert document.readable or document.faults


def test_what_is_no_readable_file_is_one_fault(tmp_path):
    """Directories, foreign encodings, giants and pipes are refused without being read as YAML."""
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "latin.yaml").write_bytes("a: 1\nclient: café\n".encode("latin-1"))
    (tmp_path / "giant.yaml").write_bytes(b"a: 1\n" * (MAX_DOCUMENT_BYTES // 5 + 1))
    os.mkfifo(tmp_path / "pipe.yaml")
    found = {path.stem: str(read_document(path).faults[0]) for path in tmp_path.iterdir()}
    assert "found a directory" in found["folder"]
    assert found["latin"].startswith("line 2: found byte 0xe9, which is not UTF-8")
    assert "more than 200,000 bytes" in found["giant"]
    assert "not a regular file" in found["pipe"]
    assert "no readable file" in str(read_document(tmp_path / "missing.yaml").faults[0])


@pytest.mark.parametrize("text", ["shop", "2024", "no", "1e3", "0b_", "2024-01-02", "null", "08", "1_0"])
def test_a_text_that_is_written_is_read_as_that_text(text):
    """Also one that YAML takes for a number, a switch, nothing, or cannot read as what it looks like."""
    assert parse_document(f"client: {text_value(text)}\n").values == {"client": text}
