"""`mmm schema`: the JSON Schema of client files, with which editors complete and check them."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of client files. Editors complete and check a file whose first line names it.

    The line is '# yaml-language-server: $schema=client.schema.json', where 'mmm schema > client.schema.json' has
    written the file beside it.
    """
    from mmm_engine.client.schema import client_file_schema

    typer.echo(json.dumps(client_file_schema(), indent=1))
