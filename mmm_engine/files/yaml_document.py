"""YAML documents as plain values that remember their lines.

Here: reading a small YAML file safely, every fault of its form with its line, writing a file in one step.
Not here: what the settings mean (client/config.py).
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from mmm_engine.errors import Fault

MAX_DOCUMENT_BYTES = 200_000

Location = tuple[str | int, ...]  # the way to one value: ("model", "adstock", "max_lag") or ("channels", 2)

_AS_YAML = "a YAML file of settings"


@dataclass(frozen=True)
class Document:
    """One YAML mapping with the line of every setting.

    Attributes:
        values: The mapping as plain Python values; empty when the file could not be read at all.
        lines: Line number, as an editor shows it, of each value by its location.
        faults: What is wrong with the form of the file.
        readable: False when ``values`` says nothing about the file.
    """

    values: dict[str, object]
    lines: Mapping[Location, int]
    faults: tuple[Fault, ...]
    readable: bool

    def line_of(self, location: Location) -> int | None:
        """Line of a setting, or of the nearest setting around it."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.lines:
                return self.lines[location[:length]]
        return None


class _Loader(yaml.SafeLoader):
    """Safe loader without aliases (a few lines of them can unfold into gigabytes), without tags and without dates."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node; an alias or a tag is refused."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.events.AliasEvent):
            what = "an alias (*name)"
        elif (tag := getattr(event, "tag", None)) is not None:
            what = f"a tag ({plain(tag.replace('tag:yaml.org,2002:', '!!'))})"
        else:
            node: yaml.Node | None = super().compose_node(parent, index)
            return node
        raise yaml.composer.ComposerError(
            None, None, f"{what}, which this file may not use", event.start_mark
        )

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """The value of a node; one that Python cannot make is refused with its line."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, ValueError) as error:
            value = shorten(str(node.value))
            raise yaml.constructor.ConstructorError(
                None, None, f"{value}, which cannot be read as a value", node.start_mark
            ) from error


# PyYAML reads 2023-01-02 as a date (a column may be called so), 010 as 8, 1:30 as 90 and 1e-3 as text.
_REPLACED = {f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "int", "float")}
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern in (
    ("int", r"[-+]?(?:0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)"),
    (
        "float",
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
        r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_pattern})$"), list("-+.0123456789")
    )


def text_value(text: str) -> str:
    """A word as a document has to write it to be read as text: in quotes where it looks like a number or a switch.

    >>> text_value("shop"), text_value("2024")
    ('shop', '"2024"')
    """
    try:
        is_text = isinstance(yaml.load(text, _Loader), str)  # noqa: S506 (a safe loader)
    except yaml.YAMLError:
        is_text = False
    return text if is_text else json.dumps(text)


def read_document(path: Path) -> Document:
    """The mapping in a YAML file, or the reasons why there is none.

    Args:
        path: The file; at most ``MAX_DOCUMENT_BYTES`` of UTF-8 text.

    Returns:
        A document; nothing about the file's content raises.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "something that is not a regular file"
            return _unreadable(path.name, kind, _AS_YAML, "put the settings in a file of this name")
        content = path.read_bytes()[: MAX_DOCUMENT_BYTES + 1]
    except OSError as error:
        return _unreadable(
            path.name, f"no readable file ({error.strerror})", _AS_YAML, "check name and rights"
        )
    if len(content) > MAX_DOCUMENT_BYTES:
        found = f"more than {MAX_DOCUMENT_BYTES:,} bytes"
        return _unreadable(path.name, found, _AS_YAML, "keep data out of the settings file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = f"byte 0x{content[error.start]:02x}, which is not UTF-8"
        return _unreadable(f"line {line}", found, "text in UTF-8", "save the file as UTF-8 in your editor")
    return parse_document(text)


def parse_document(text: str) -> Document:
    """The mapping in YAML text, or the reasons why there is none."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Location, int] = {}
        faults = [] if node is None else list(_walk(node, (), lines))
        values = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        found = f"text that breaks YAML ({plain((error.problem or 'unknown').removeprefix('found '), 200)})"
        fix = "check indentation, colons and quotes around this line"
        if "'\\t'" in found:
            fix = "write spaces instead of the tab"
        return _unreadable(f"line {line}", found, "valid YAML", fix)
    except RecursionError:
        return _unreadable(
            "the file", "lists nested too deeply", "valid YAML", "write plain settings, one a line"
        )
    except (yaml.YAMLError, ValueError) as error:
        found = " ".join(str(error).split()) or type(error).__name__
        return _unreadable("the file", found[:200], "valid YAML", "write plain settings, one a line")
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        found = "nothing" if values is None else f"{describe(values)} instead of settings"
        return _unreadable(
            "the file", found, "lines of the form 'setting: value'", "start with 'client: <name>'"
        )
    return Document(values=values, lines=lines, faults=tuple(faults), readable=True)


def written(text: str) -> str:
    """Text as the value of a setting: in quotes where it would be read as something else.

    >>> written("Data 2024"), written("2024")
    ('Data 2024', '"2024"')
    """
    is_plain = parse_document(f"text: {text}").values == {"text": text}
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def name_of(location: Location) -> str:
    """A location as a message shows it.

    >>> name_of(("channels", 2, "adstock"))
    'channels[3].adstock'
    """
    name = ""
    for part in location:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{plain(part)}" if name else plain(part)
    return name


def plain(text: str, limit: int = 60) -> str:
    r"""Text from a file as a message can show it: not too long, nothing that would steer a terminal.

    >>> print(plain("tv cost"), plain("\x1b[2J"))
    tv cost \x1b[2J
    """
    return text if text.isprintable() and len(text) <= limit else shorten(text, limit)[1:-1]


def describe(value: object) -> str:
    """A value as a message shows it: short, with its kind, control characters made visible.

    >>> describe("abc"), describe(3), describe([1, 2]), describe(None)
    ("the text 'abc'", 'the number 3', 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (yes/no)"
    if isinstance(value, int | float):
        return f"the number {shorten(value)}"
    if isinstance(value, str):
        return f"the text {shorten(value)}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return f"a {type(value).__name__}"


def shorten(value: object, limit: int = 60) -> str:
    """A value's repr, cut in the middle of a message where it is too long."""
    if isinstance(value, int) and abs(value) > 10**limit:
        return "with very many digits"
    text = repr(value[: limit + 10]) if isinstance(value, str) else repr(value)
    return text if len(text) <= limit + 2 else f"{text[:limit]}…'"


def _unreadable(where: str, found: str, wanted: str, fix: str) -> Document:
    return Document(values={}, lines={}, faults=(Fault(where, found, wanted, fix),), readable=False)


def _walk(node: yaml.Node, location: Location, lines: dict[Location, int]) -> Iterator[Fault]:
    """Note the line of every value below ``node`` in ``lines``; yields every name that is written twice.

    Names become text on the way, also those that YAML would read as a number or as yes and no.
    """
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*location, index)] = item.start_mark.line + 1
            yield from _walk(item, (*location, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, item in node.value:
            if isinstance(key, yaml.ScalarNode):
                key.tag = "tag:yaml.org,2002:str"
            here, line = (*location, str(key.value)), key.start_mark.line + 1
            if here in lines:
                where = f"setting '{name_of(here)}' (line {line})"
                found = f"a second value (the first is on line {lines[here]})"
                yield Fault(where, found, "each setting once", "delete one of the two")
            lines.setdefault(here, line)
            yield from _walk(item, here, lines)
