"""What every settings type shares: frozen, strict, and refusals in words a user can act on.

Here: the base class, a validation error that carries the parts of a Fault, pydantic's errors put into words.
Not here: any particular setting (config.py).
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from mmm_engine.documents import Location, describe, shorten

_WANTED = {  # pydantic's error types in our words
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text (put it in quotes if it looks like a number, a yes or a no)",
    "tuple_type": "a list",
    "dict_type": "a mapping (name: value)",
    "model_type": "a mapping (name: value)",
    "model_attributes_type": "a mapping (name: value)",
    "finite_number": "a finite number",
    "too_short": "at least one entry",
    "string_too_short": "at least one character",
    "invalid_key": "a name (put it in quotes)",
}


class Frozen(BaseModel):
    """Base of all settings: unknown names, wrong types and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Problem:
    """A fault that still knows its place in the values: location, what was found and wanted, what to do."""

    location: Location
    found: str
    wanted: str
    fix: str


def refusal(*problems: Problem) -> PydanticCustomError:
    """The error a validator raises; locations are relative to the value that it validates."""
    return PydanticCustomError("refusal", "refused", {"problems": problems})


def problems_of(error: ValidationError, settings: type[BaseModel]) -> list[Problem]:
    """All problems in one pydantic error, in the order of the fields.

    Args:
        error: What validating a mapping as ``settings`` raised.
        settings: The type, which knows the names that are allowed.
    """
    return [problem for details in error.errors() for problem in _in_words(details, settings)]


def nearest(word: str, known: Iterable[str]) -> str:
    """``"did you mean 'x'?"`` for the known word closest to ``word``, or an empty string.

    >>> nearest("chanels", ["channels", "controls"])
    "did you mean 'channels'?"
    """
    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower()[:200], by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[matches[0]]}'?" if matches else ""


def _in_words(details: ErrorDetails, settings: type[BaseModel]) -> Iterator[Problem]:
    location: Location = details["loc"]
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "refusal":
        for problem in context["problems"]:
            yield Problem((*location, *problem.location), problem.found, problem.wanted, problem.fix)
    elif kind == "missing":
        name = str(location[-1])
        yield Problem(location, "nothing", f"the setting '{name}'", f"add a line '{name}: …'")
    elif kind == "extra_forbidden":
        allowed = list(_type_at(location[:-1], settings).model_fields)
        fix = nearest(str(location[-1]), allowed) or "delete it"
        found = f"an unknown setting {shorten(str(location[-1]))}"
        yield Problem(location, found, f"one of {', '.join(allowed)}", fix)
    elif kind == "literal_error":
        fix = nearest(str(value), _words(context["expected"])) or "write one of these words"
        yield Problem(location, describe(value), context["expected"], fix)
    else:
        limit = details["msg"].removeprefix("Input should be ")
        limit = limit.replace("less than or equal to", "at most").replace(
            "greater than or equal to", "at least"
        )
        yield Problem(location, describe(value), _WANTED.get(kind, limit), "write such a value")


def _words(expected: str) -> list[str]:
    """The choices in pydantic's ``"'a', 'b' or 'c'"``."""
    return expected.split("'")[1::2]


def _type_at(location: Location, settings: type[BaseModel]) -> type[BaseModel]:
    """The settings type of the mapping at a location."""
    for part in location:
        if isinstance(part, str) and part in settings.model_fields:
            settings = next(_settings_in(settings.model_fields[part].annotation), settings)
    return settings


def _settings_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _settings_in(argument)
