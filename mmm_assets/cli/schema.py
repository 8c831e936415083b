"""`mmm schema`: the JSON Schema of client files, with which editors complete and check them."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of client files. Editors complete and check a file whose first line names it.

    The line is '# yaml-language-server: $schema=.client.schema.json'. `mmm add` writes it, and the schema into the data
    folder; 'mmm schema > data/.client.schema.json' does for files that were written by hand.
    """
    from mmm_engine.client.schema import schema_text

    typer.echo(schema_text(), nl=False)
