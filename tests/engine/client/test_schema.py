"""The JSON Schema takes every form that client files use, and refuses what they cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.schema import client_file_schema
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
