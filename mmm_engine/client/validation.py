"""What every settings type shares: frozen, strict, and refusals in words a user can act on.

Here: the base class, paths of data files, a validation error that carries the parts of a Fault, pydantic's errors put
into words, validation that finds every fault and keeps what is sound.
Not here: any particular setting (config.py).
"""

from __future__ import annotations

import copy
import difflib
import functools
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, NamedTuple, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from mmm_engine.errors import Fault
from mmm_engine.files.packed import PACKED_SUFFIXES
from mmm_engine.files.yaml_document import Document, Location, describe, name_of, plain, shorten

DATA_SUFFIXES = (".csv", ".parquet", ".xlsx", ".tsv", ".txt", ".tab", ".xlsm", *PACKED_SUFFIXES)
"""Endings of files that rows are read from, the usual ones first; a packed file has the ending of its archive."""
_TO_XLSX = "open it in Excel and save it as an Excel workbook (.xlsx)"
_TO_CSV = "export the rows as CSV"
_JSON = "write it as a table: pandas.read_json(path, lines={lines}).to_csv('rows.csv', index=False)"
_FEATHER = "write it as Parquet: pandas.read_feather(path).to_parquet('rows.parquet')"
_REMEDIES_BY_SUFFIX = {
    **dict.fromkeys((".xls", ".xlsb", ".ods"), _TO_XLSX),
    **dict.fromkeys((".numbers", ".pdf", ".html", ".htm", ".xml"), _TO_CSV),
    **dict.fromkeys((".jsonl", ".ndjson"), _JSON.format(lines=True)),
    ".json": _JSON.format(lines=False),
    **dict.fromkeys((".feather", ".arrow"), _FEATHER),
}

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


_ABSENT = object()


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


def refused(found: str, wanted: str, fix: str) -> PydanticCustomError:
    """The error for the very value that is validated."""
    return refusal(Problem((), found, wanted, fix))


def _checked_data_path(text: str) -> str:
    path = PurePosixPath(text)
    wanted = "a .csv, .parquet or .xlsx file inside the data folder, written relative to the client file"
    if path.is_absolute() or ".." in path.parts or not text.isprintable() or re.search(r"[\\:]", text):
        raise refused(
            f"the path {shorten(text)}", wanted, "put the file beside the client file and name it here"
        )
    if path.suffix.lower() not in DATA_SUFFIXES:
        raise refused(f"the path {shorten(text)}", wanted, remedy_of_suffix(path.suffix))
    return text


def remedy_of_suffix(suffix: str) -> str:
    """What to do with a file whose ending says that rows cannot be read from it."""
    usual = "save the rows as CSV, Parquet or an Excel workbook (.xlsx)"
    return _REMEDIES_BY_SUFFIX.get(suffix.lower(), usual)


def _checked_text(text: str) -> str:
    if not text.isprintable():
        wanted = "printable characters: none that steer a terminal or turn the direction of writing"
        raise refused(shorten(text), wanted, "write the word anew, without what was copied along")
    return text


PlainText = Annotated[str, AfterValidator(_checked_text)]
"""Text of a person that reaches terminals, logs and pages."""

DataPath = Annotated[str, AfterValidator(_checked_data_path)]


class Draft[Settings: BaseModel]:
    """A document on its way to settings.

    It knows where in the file each value stands, also after faulty values before it were left out.

    Args:
        document: The values with their lines.
        settings: The type they shall become.
    """

    def __init__(self, document: Document, settings: type[Settings]) -> None:
        self._document = document
        self._settings = settings
        self._values: dict[str, Any] = copy.deepcopy(document.values)
        self._origins: dict[str, list[Location]] = {}  # list name -> place of each entry in the document

    def list_entries(self, name: str, as_list: Callable[[object], object]) -> None:
        """Bring ``name`` from any form a file may use into a list of mappings."""
        written = self._values.get(name)
        if isinstance(written, Mapping):
            self._origins[name] = [(name, key) for key in written]
        elif isinstance(written, list):
            self._origins[name] = [(name, index) for index in range(len(written))]
        else:
            return
        self._values[name] = list(cast("Iterable[object]", as_list(written)))

    def validate(self) -> tuple[Settings | None, list[Fault]]:
        """The settings without the faulty ones, None when too little is left; and every fault."""
        faults: list[Fault] = []
        for _ in range(
            3
        ):  # a value left out can show a fault behind it: a column named twice, a list now empty
            try:
                return self._settings.model_validate(self._values), faults
            except ValidationError as error:
                problems = [
                    problem for details in error.errors() for problem in _in_words(details, self._settings)
                ]
            for fault in self.faults(problems):
                faults += [] if fault in faults else [fault]  # a bare day is start and end of its event
            if not self._leave_out([problem.location for problem in problems]):
                break
        return None, faults

    def faults(self, problems: Iterable[Problem]) -> list[Fault]:
        """Problems as faults, each with its place in the document."""
        return [
            Fault(place(self._document, self._in_document(one.location)), one.found, one.wanted, one.fix)
            for one in problems
        ]

    def _in_document(self, location: Location) -> Location:
        """A location in ``_values`` as a location in the document."""
        match location:
            case (str() as name, int() as index, *rest) if name in self._origins:
                rest = rest if rest != ["column"] else []  # a bare name has no 'column' line of its own
                return (*self._origins[name][index], *rest)
        return _as_written(location, self._document.values)

    def _leave_out(self, locations: list[Location]) -> bool:
        """Remove faulty values; False when one of them cannot be done without."""
        entries: set[tuple[str, int]] = set()
        settings: set[Location] = set()
        for location in locations:
            match location:
                case (str() as name, int() as index, *rest) if name in self._origins:
                    if self._is_needed(location) or not rest:
                        entries.add((name, index))
                        continue
            settings.add(self._removable(location))
        if () in settings:
            return False
        for *path, last in sorted(settings, key=len, reverse=True):
            around = functools.reduce(_entry, path, cast("object", self._values))
            cast("dict[object, object]", around).pop(last, None)
        for name, written in self._origins.items():
            if self._is_needed((name,)) and len(written) == sum(entry[0] == name for entry in entries):
                return False  # the list would be empty
        for name, index in sorted(entries, reverse=True):  # from the end, so that the others keep their place
            del self._values[name][index], self._origins[name][index]
        return True

    def _removable(self, location: Location) -> Location:
        """The innermost setting around a faulty value that stands in a mapping and can be done without; () if none."""
        while location:
            *path, last = written = _as_written(location, self._values)
            around = functools.reduce(_entry, path, cast("object", self._values))
            if isinstance(around, dict) and last in around and not self._is_needed(location):
                return written
            location = location[:-1]
        return location

    def _is_needed(self, location: Location) -> bool:
        """Whether the settings around a value, if any, are not valid without it."""
        field = (
            _type_at(location[:-1], self._settings).model_fields.get(str(location[-1])) if location else None
        )
        return not location or (field is not None and field.is_required())


def place(document: Document, location: Location) -> str:
    """Where a setting stands, with its line where the document has lines.

    >>> from mmm_engine.files.yaml_document import parse_document
    >>> place(parse_document("model: {priors: 3}"), ("model", "priors"))
    "setting 'model.priors' (line 1)"
    """
    line = document.line_of(location)
    return f"setting '{name_of(location)}'" + (f" (line {line})" if line is not None else "")


def nearest(word: str, candidates: Iterable[str]) -> str:
    """``"did you mean 'x'?"`` for the known word closest to ``word``, or an empty string.

    Of compound names the one whose parts are closest counts, in any order: a channel with another ending is nearer than
    another channel with the same ending.

    >>> nearest("chanels", ["channels", "controls"])
    "did you mean 'channels'?"
    >>> nearest("cost_tv", ["ooh_cost", "tv_spend", "tv_cost"])
    "did you mean 'tv_cost'?"
    >>> nearest("tv_cost", ["ooh_cost", "tv_spend"])
    "did you mean 'tv_spend'?"
    """
    typed = word.lower()[:200]
    by_lower = {name.lower(): name for name in candidates}
    parts = set(_parts(typed))
    close = set(difflib.get_close_matches(typed, by_lower, n=5, cutoff=_CLOSE))
    close |= {name for name in by_lower if not parts.isdisjoint(_parts(name))}
    best = max((_Likeness.of(typed, name) for name in sorted(close)), default=None)
    if best is None or not best.is_close:
        return ""
    return f"did you mean '{plain(by_lower[best.name])}'?"


_CLOSE = 0.6  # of 1, the likeness of equal words


class _Likeness(NamedTuple):
    """How like a name is to what was typed; the larger one is nearer.

    Attributes:
        parts: Mean over the typed words of the likeness to the nearest word of the name, 0 where none is close.
        starts_alike: Whether the first words are close: names of columns begin with what they are about.
        whole: Likeness of the two as they stand.
        name: The name.
    """

    parts: float
    starts_alike: bool
    whole: float
    name: str

    @classmethod
    def of(cls, typed: str, name: str) -> _Likeness:
        """The likeness of a name to what was typed, both in lower case."""
        likeness = [
            max((_likeness(word, part) for part in _parts(name)), default=0.0) for word in _parts(typed)
        ]
        close = [one if one >= _CLOSE else 0.0 for one in likeness] or [0.0]
        first = [_parts(text)[:1] for text in (typed, name)]
        starts_alike = all(first) and _likeness(first[0][0], first[1][0]) >= _CLOSE
        return cls(sum(close) / len(close), starts_alike, _likeness(typed, name), name)

    @property
    def is_close(self) -> bool:
        """Whether the name may be meant."""
        return max(self.parts, self.whole) >= _CLOSE or (self.starts_alike and self.parts >= 0.5)


def _parts(name: str) -> list[str]:
    """The words of a compound name."""
    return re.findall(r"[^\W_]+", name)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def _in_words(details: ErrorDetails, settings: type[BaseModel]) -> Iterator[Problem]:
    location = tuple(part for part in details["loc"] if part != "[key]")  # pydantic's mark of a faulty name
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "refusal":
        for problem in context["problems"]:
            yield Problem((*location, *problem.location), problem.found, problem.wanted, problem.fix)
    elif kind == "too_short" and value:
        pass  # it has entries, all of them faulty and named already
    elif kind == "too_long":
        found = f"{len(value):,} entries" if hasattr(value, "__len__") else "too many entries"
        yield Problem(location, found, f"at most {context['max_length']}", "join or leave out some of them")
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
        wanted, fix = _WANTED.get(kind, limit), "write such a value"
        if len(location) == 2 and location[0] in ("channels", "controls") and kind.startswith("model_"):
            wanted, fix = f"the name of a column, or {wanted}", "put a name such as 2024 or no in quotes"
        yield Problem(location, describe(value), wanted, fix)


def _entry(values: object, part: str | int) -> object:
    """What a mapping or list holds under a name or position; `_ABSENT` where there is nothing."""
    if isinstance(values, dict):
        return values.get(part, _ABSENT)
    if isinstance(values, BaseModel):  # a value that came with its type
        return getattr(values, str(part), _ABSENT)
    is_there = isinstance(values, list) and isinstance(part, int) and part < len(values)
    return cast("Any", values)[part] if is_there else _ABSENT


def _as_written(location: Location, values: object) -> Location:
    """A location in the form that the file uses: entries by their name, without the steps that a short form leaves out.

    >>> _as_written(("events", 0, "days", 0, "start"), {"events": {"sale": "2024-02-30"}})
    ('events', 'sale')
    """
    path: list[str | int] = []
    for part in location:
        step = part
        if isinstance(values, dict) and isinstance(part, int) and part not in values and part < len(values):
            step = list(values)[part]
        elif not (
            isinstance(values, dict | BaseModel)
            or values is _ABSENT
            or (isinstance(values, list) and isinstance(part, int))
        ):
            continue
        path.append(step)
        values = _entry(values, step)
    return tuple(path)


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
