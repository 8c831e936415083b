"""docs/client-file.md says of every setting what the code says: type, default, range."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import annotated_types as limits
import pytest
import yaml
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from mmm_engine.client.audit_config import AuditConfig, ForecastConfig
from mmm_engine.client.client_file import client_config_from_mapping
from mmm_engine.client.config import (
    ChannelConfig,
    ClientConfig,
    ControlConfig,
    CsvConfig,
    SamplerConfig,
    TargetConfig,
)
from mmm_engine.client.decision_config import DecisionConfig
from mmm_engine.client.lift_test_config import LiftTest
from mmm_engine.client.log_normal import HalfLife
from mmm_engine.client.model_config import (
    AdstockConfig,
    BaselineConfig,
    EventConfig,
    EventDays,
    HolidaysConfig,
    ModelConfig,
    TrendConfig,
)
from mmm_engine.client.return_priors import ReturnPrior, ReturnsConfig
from mmm_engine.client.thresholds import ThresholdConfig
from mmm_engine.files.yaml_document import parse_document
from mmm_engine.model.default_priors import (
    BASELINE_SLOPE,
    CONTROL_EFFECTS,
    EVENT_SIGMA,
    EVENT_SIZE,
    FOURIER,
    HOLIDAY,
    HOLIDAY_LEVEL,
    INTERCEPT,
    LIKELIHOOD_PRIORS,
    PROCESS_DEFAULTS,
    TREND,
    WEEKDAY,
)
from mmm_engine.model.media_transforms import ADSTOCKS, SATURATIONS

PAGE = (Path(__file__).parents[2] / "docs" / "client-file.md").read_text()
SECTIONS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "Top level": (ClientConfig,),
    "csv": (CsvConfig,),
    "target": (TargetConfig,),
    "channels": (ChannelConfig,),
    "controls": (ControlConfig,),
    "model": (ModelConfig,),
    "returns": (ReturnsConfig,),
    "returns of a channel": (ReturnPrior,),
    "adstock": (AdstockConfig,),
    "half_life": (HalfLife,),
    "baseline": (BaselineConfig,),
    "trend": (TrendConfig,),
    "holidays": (HolidaysConfig,),
    "events": (EventConfig, EventDays),
    "lift tests": (LiftTest,),
    "sampler": (SamplerConfig,),
    "thresholds": (ThresholdConfig,),
    "audit": (AuditConfig,),
    "forecast": (ForecastConfig,),
    "decision": (DecisionConfig,),
}
FIELDS = [
    (section, name, model)
    for section, models in SECTIONS.items()
    for model in models
    for name in model.model_fields
]


def rows(section: str) -> dict[str, list[str]]:
    """Cells behind the name of each setting in the table of a section."""
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (body,) = [part for part in text if part.startswith(f"{section}\n")]
    table = [line for line in body.splitlines() if line.startswith("| `")]
    lines = [line.strip("|").replace("`|`", "`bar`") for line in table]  # a bar in a cell is no border
    cells = [[cell.strip().replace("`bar`", "`|`") for cell in line.split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def without_none(kind: Any) -> Any:
    """A type without the None that it may also be."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = [part for part in typing.get_args(kind) if part is not type(None)]
    return kind


def constraints(kind: Any, field: FieldInfo) -> list[Any]:
    """Everything that narrows a setting, inside its type and beside it."""
    kind = without_none(kind)
    inside = list(typing.get_args(kind)[1:]) if typing.get_origin(kind) is Annotated else []
    flat = [*inside, *field.metadata]
    for part in inside:
        flat += getattr(part, "metadata", [])
    return flat


def plain_type(kind: Any) -> Any:
    """A type without None and without its annotations."""
    kind = without_none(kind)
    return without_none(typing.get_args(kind)[0]) if typing.get_origin(kind) is Annotated else kind


def expected_type(kind: Any, narrowed: list[Any]) -> str:
    """The word of the page for a type."""
    checks = {part.func.__name__ for part in narrowed if isinstance(part, AfterValidator)}
    plain = plain_type(kind)
    for check, word in (
        ("_checked_column", "column"),
        ("_checked_data_path", "file"),
        ("_checked_day", "date"),
    ):
        if check in checks:
            return word
    if typing.get_origin(plain) is Literal:
        return "choice"
    if typing.get_origin(plain) is tuple:
        return "list of names" if typing.get_args(plain)[0] is str else "list of sections"
    if typing.get_origin(plain) is dict:
        return "mapping"
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return "section"
    return {int: "whole number", float: "number", bool: "yes or no", str: "text"}[plain]


def expected_default(field: FieldInfo) -> str:
    """How the page writes a default."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "defaults"
    written = json.dumps(value) if isinstance(value, tuple | dict) or value == "" else yaml.safe_dump(value)
    return f"`{written.splitlines()[0]}`"


def expected_range(kind: Any, narrowed: list[Any]) -> str | None:
    """How the page writes the range of a number or the choices of a word; None where other rules hold."""
    plain = plain_type(kind)
    if typing.get_origin(plain) is Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(plain))
    if plain not in (int, float):
        return None
    low = [part.ge for part in narrowed if isinstance(part, limits.Ge)]
    above = [part.gt for part in narrowed if isinstance(part, limits.Gt)]
    high = [part.le for part in narrowed if isinstance(part, limits.Le)]
    below = [part.lt for part in narrowed if isinstance(part, limits.Lt)]
    if low and high:
        return f"{low[0]} to {high[0]}"
    words = [
        *(f"{bound} or more" for bound in low),
        *(f"above {bound}" for bound in above),
        *(f"at most {bound}" for bound in high),
        *(f"below {bound}" for bound in below),
    ]
    return ", ".join(dict.fromkeys(words)) or None


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_listed(section: str) -> None:
    """No setting is missing from its section, and none is listed that does not exist."""
    assert list(rows(section)) == [name for model in SECTIONS[section] for name in model.model_fields]


@pytest.mark.parametrize(("section", "name", "model"), FIELDS)
def test_setting_is_described_as_it_is(section: str, name: str, model: type[BaseModel]) -> None:
    """Type, default and range of a setting are those of the code, and it has a meaning."""
    kind, default, allowed, meaning = rows(section)[name]
    field = model.model_fields[name]
    annotation = typing.get_type_hints(model, include_extras=True)[name]
    narrowed = constraints(annotation, field)
    assert kind == expected_type(annotation, narrowed)
    assert default == expected_default(field)
    expected = expected_range(annotation, narrowed)
    if expected is not None and not allowed.startswith("as in"):
        assert allowed == expected
    assert len(meaning) > 5


def test_every_section_type_has_a_section() -> None:
    """Every type of settings that a client file can hold is on the page."""

    def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
        yield model
        for hint in typing.get_type_hints(model).values():
            for part in (without_none(hint), *typing.get_args(without_none(hint))):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    yield from below(part)

    assert set(below(ClientConfig)) == {model for models in SECTIONS.values() for model in models}


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL))
def test_examples_are_client_files(block: str) -> None:
    """Examples of the page are read without a fault, alone or in the smallest client file."""
    smallest = {"client": "acme", "data": "a.csv", "date": "week", "target": "sales", "channels": ["tv"]}
    values = dict(parse_document(block).values)
    config = client_config_from_mapping(smallest | values)
    assert config.client == "acme"


def text_of(prior: Mapping[str, Any]) -> str:
    """A prior as the page writes it: with the names of its arguments only where it is a Gamma by its mean."""
    arguments = {name: value for name, value in prior.items() if name != "distribution"}
    if "mu" in arguments and prior["distribution"] == "Gamma":
        inside = ", ".join(f"{name} {value}" for name, value in arguments.items())
    else:
        inside = ", ".join(
            f"{name} ~ {text_of(value)}" if isinstance(value, dict) else f"{value}"
            for name, value in arguments.items()
        )
    return f"{prior['distribution']}({inside})"


PRIORS = [
    ("intercept", "", INTERCEPT),
    ("gamma_control", "", CONTROL_EFFECTS["positive"][0]),
    ("gamma_control", "any", CONTROL_EFFECTS["any"][0]),
    ("gamma_fourier", "", FOURIER),
    ("baseline_slope", "", BASELINE_SLOPE),
    ("trend_delta", "", TREND),
    ("gamma_weekday", "", WEEKDAY),
    ("gamma_holiday_level", "", HOLIDAY_LEVEL),
    ("gamma_holiday", "", HOLIDAY),
    ("event_sigma", "", EVENT_SIGMA),
    ("event_effect_size", "", EVENT_SIZE),
    ("likelihood", "", LIKELIHOOD_PRIORS["normal"]),
    *((name, "", process) for name, process in PROCESS_DEFAULTS.items()),
    *(
        (f"{role}_{parameter.name}", kind, parameter.prior)
        for role, transforms in (("adstock", ADSTOCKS), ("saturation", SATURATIONS))
        for kind, transform in transforms.items()
        for parameter in transform.parameters
    ),
]


@pytest.mark.parametrize(("name", "kind", "prior"), PRIORS)
def test_default_priors_are_those_of_the_code(name: str, kind: str, prior: Mapping[str, Any]) -> None:
    """A line of the table of priors names the parameter, its transformation and its default."""
    lines = [
        line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1]
    ]
    written = (
        text_of(prior) if "distribution" in prior else ", ".join(f"{k}: {v:g}" for k, v in prior.items())
    )
    assert any(re.search(rf"\b{kind}\b", line) and written in line for line in lines), written
