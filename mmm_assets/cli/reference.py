"""docs/cli.md: every command with its arguments and options, as the commands themselves say them.

Here: the page as text; `python -m mmm_assets.cli.reference` prints it.
Not here: what the commands do.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from mmm_assets.cli.app import app

_KINDS: dict[Any, str] = {int: "whole number", float: "number", Path: "path"}
HEAD = """# Commands

Made from the commands by `make docs-cli`; a test holds it to them. The terminal says the same: `mmm refresh --help`.

Exit codes: 0 done, 1 a check or a run failed (or the home cannot be used), 2 bad input, 130 interrupted.
"""


def reference() -> str:
    """The page in Markdown."""
    group: Any = typer.main.get_command(app)
    parts = [HEAD, "\n".join(_options(group))]
    for name, command in group.commands.items():
        parts += [f"## mmm {name}", inspect.cleandoc(command.help or ""), "\n".join(_options(command))]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _options(command: Any) -> Iterator[str]:
    """A table of a command's arguments and options; nothing where it has none."""
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    if not shown:
        return
    yield "| argument or option | default | meaning |"
    yield "|---|---|---|"
    for one in shown:
        if one.param_type_name == "option":
            names = ", ".join(f"`{word}`" for word in (*one.opts, *one.secondary_opts))
            names += "" if one.is_flag else f" {_choices(one)}"
        else:
            names = f"`{(one.metavar or one.name or '').strip('[]')}`" + (" …" if one.nargs == -1 else "")
        default = "required" if one.required else _default(one)
        meaning = " ".join((getattr(one, "help", None) or "").split()).replace("|", "\\|")
        yield f"| {names} | {default} | {meaning} |"


def _choices(option: Any) -> str:
    """What an option takes: its words, or the kind of its value."""
    kind = option.type_descriptor.annotation
    words: list[Any] = []
    if typing.get_origin(kind) is typing.Literal:
        words = list(typing.get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        words = [choice.value for choice in kind]
    return " \\| ".join(f"`{word}`" for word in words) or _KINDS.get(kind, "text")


def _default(one: Any) -> str:
    value = one.default
    if value is None or value is False or value == () or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
