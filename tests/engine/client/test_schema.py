"""The JSON Schema takes every form that client files use, and refuses what they cannot be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mmm_engine.client.client_file import client_config_from_mapping, read_client_config, write_client_config
from mmm_engine.client.schema import SCHEMA_FILE, client_file_schema, schema_text, write_schema
from mmm_engine.files.yaml_document import read_document

DATA = Path(__file__).parents[3] / "data"
HEAD = {"client": "a", "data": "a.csv", "date": "d", "target": "t", "channels": ["c"]}
FORMS: list[dict[str, Any]] = [
    {"target": {"column": "t", "kind": "conversions"}},
    {"channels": {"c": None, "e": {"unit": "views", "cost": "money"}}},
    {"channels": [{"column": "c", "saturation": "log", "adstock": {"kind": "none"}}]},
    {"controls": {"price": {"effect": "negative"}}},
    {"controls": None, "model": None},
    {
        "model": {
            "events": {
                "sale": "2024-01-01",
                "fair": ["2024-02-01", {"start": "2024-03-01", "end": "2024-03-02"}],
            }
        }
    },
    {"model": {"events": [{"name": "sale", "days": [{"start": "2024-03-01", "end": "2024-03-02"}]}]}},
    {"model": {"priors": "toolkit"}},
    {"model": {"adstock": {"half_life": 14}}},
    {"decision": {"budget": 1000, "bounds": {"c": [1, 2]}, "keep": ["c"]}},
    {"sampler": {"time_budget": 60}},
]


@pytest.fixture(scope="module")
def check() -> jsonschema.Draft202012Validator:
    """A validator of client files."""
    schema = client_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", [path.name for path in sorted(DATA.glob("*.yaml"))])
def test_sample_clients_fit(check: jsonschema.Draft202012Validator, name: str) -> None:
    """The files that ship, dates as text as the platform reads them."""
    check.validate(read_document(DATA / name).values)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_client_file_fits(
    check: jsonschema.Draft202012Validator, form: dict[str, Any]
) -> None:
    """What the platform takes, an editor does not mark."""
    client_config_from_mapping(HEAD | form)
    check.validate(HEAD | form)


@pytest.mark.parametrize(
    "fault",
    [
        {"chanels": ["c"]},
        {"channels": []},
        {"channels": {"c": {"unti": "views"}}},
        {"model": {"saturation": "hil"}},
        {"model": {"adstock": {"max_lag": 99}}},
        {"sampler": {"draws": "many"}},
        {"target": {"column": "t", "kind": "happiness"}},
    ],
)
def test_slips_are_marked(check: jsonschema.Draft202012Validator, fault: dict[str, Any]) -> None:
    """Unknown names, words and numbers out of range."""
    assert not check.is_valid(HEAD | fault)


def test_a_written_client_file_names_the_schema_beside_it(tmp_path: Path) -> None:
    """By a relative name, so that an editor finds it after the folder has moved; the file reads back equal."""
    config = client_config_from_mapping(HEAD)
    folder = tmp_path / "before"
    folder.mkdir()
    write_client_config(config, folder / "a.yaml", for_editors=True)
    moved = folder.rename(tmp_path / "after") / "a.yaml"
    (named,) = re.findall(r"\A# yaml-language-server: \$schema=(\S+)\n", moved.read_text())
    assert json.loads((moved.parent / named).read_text()) == client_file_schema()
    assert read_client_config(moved) == config


def test_an_older_schema_is_replaced_and_a_current_one_is_not_written_again(tmp_path: Path) -> None:
    """An editor that watches the file has nothing to read again."""
    written = tmp_path / SCHEMA_FILE
    written.write_text("{}")
    write_schema(tmp_path)
    first = written.stat()
    assert written.read_text() == schema_text()
    write_schema(tmp_path)
    assert (written.stat().st_ino, written.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)


def test_the_schema_of_the_sample_clients_is_current() -> None:
    """`mmm schema > data/.client.schema.json` writes it again."""
    assert (DATA / SCHEMA_FILE).read_text() == schema_text()
