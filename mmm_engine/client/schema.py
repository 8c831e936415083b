"""The JSON Schema of client files, for editors.

Here: `client_file_schema`, which takes every form that a client file may use; the file that editors find it in.
Not here: what a valid file must satisfy beyond its form (config.py): a schema cannot say that two settings disagree.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmm_engine.client.config import ClientConfig
from mmm_engine.files.atomic_write import write_text

SCHEMA_FILE = ".client.schema.json"
"""Beside the client files, so that they find it wherever the folder moves; no client can have this name."""
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
"""First line of a client file: editors complete and check the file by the schema that it names."""

_DAYS = {"description": "a day (YYYY-MM-DD), a list of days, or {start: …, end: …}"}
_TEXT = {"type": "string"}


def client_file_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a client's YAML file.

    It allows what the file may be written as: names in the place of sections, mappings in the place of lists. A file
    that it refuses is refused by `mmm check` too.
    """
    schema: dict[str, Any] = ClientConfig.model_json_schema()
    parts, settings = schema["$defs"], schema["properties"]
    settings["target"] = {"anyOf": [_TEXT, {"$ref": "#/$defs/TargetConfig"}]}
    for name, part in (("channels", "ChannelConfig"), ("controls", "ControlConfig")):
        options = {**parts[part], "required": []}
        by_name = {"type": "object", "additionalProperties": {"anyOf": [{"type": "null"}, options]}}
        bounds = {key: settings[name][key] for key in ("minItems", "maxItems") if key in settings[name]}
        entries = {"type": "array", "items": {"anyOf": [_TEXT, {"$ref": f"#/$defs/{part}"}]}, **bounds}
        settings[name] = {"anyOf": [entries, by_name]}
    events = {"type": "array", "items": {"$ref": "#/$defs/EventConfig"}}
    by_name = {"type": "object", "additionalProperties": _DAYS}
    parts["EventConfig"]["properties"]["days"] = _DAYS
    for part, name in (("ModelConfig", "events"), ("HolidaysConfig", "days")):
        parts[part]["properties"][name] = {"anyOf": [events, by_name]}
    for owner in (schema, *parts.values()):
        owner.pop("title", None)
        required = set(owner.get("required", ()))
        for name, value in owner.get("properties", {}).items():
            value.pop("title", None)
            if name not in required:  # a section whose lines are all commented out is nothing
                owner["properties"][name] = _or_nothing(value)
    _loosen(parts)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Client file", **schema}


def schema_text() -> str:
    """The schema as a file holds it."""
    return json.dumps(client_file_schema(), indent=1) + "\n"


def write_schema(folder: Path) -> None:
    """Put the schema of this version beside the client files of a folder; one that is current stays as it is."""
    path, text = folder / SCHEMA_FILE, schema_text()
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def _loosen(parts: dict[str, Any]) -> None:
    """Settings that have a short form of their own."""
    model = parts["ModelConfig"]["properties"]
    model["priors"] = {
        "type": ["object", "string", "null"]
    }  # the name of a preset, or parameters with their priors
    short = {
        "AdstockConfig": {"half_life": {"type": ["object", "number", "null"]}},
        "DecisionConfig": {"budget": {"type": ["string", "number", "null"]}},
    }
    for part, settings in short.items():
        parts[part]["properties"].update(settings)


def _or_nothing(value: dict[str, Any]) -> dict[str, Any]:
    return value if value.get("type") == "null" else {"anyOf": [value, {"type": "null"}]}
