"""`mmm check`: the files of clients against their contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from mmm_assets import home
from mmm_assets.cli.options import OutputFormat, SomeClients, clients_in, unique
from mmm_assets.cli.terminal import BAD_INPUT, print_error, print_parts
from mmm_engine.errors import MMMError
from mmm_engine.report.wording import count as counted

if TYPE_CHECKING:
    from mmm_assets.types import ClientData


def check(clients: SomeClients = None, form: OutputFormat = "table") -> None:
    """Check the files of clients, rows and plan of media, against their contract: seconds, all faults at once."""
    from mmm_assets.cli.tables import finding_lines
    from mmm_engine.model.client_check import read_client_for_model
    from mmm_engine.rows.plan import client_plan

    folder, code = home.data_dir(), 0
    records: list[dict[str, Any]] = []
    for client in unique(clients or clients_in(folder)):
        try:
            data = read_client_for_model(client, folder)
            plan = client_plan(folder, data)
        except MMMError as error:
            code = BAD_INPUT
            records.append(
                {"client": client, "faults": [vars(fault) for fault in error.faults], "findings": []}
            )
            if form == "table":
                print_error(str(error))
            continue
        records.append({"client": client, "faults": [], "findings": [vars(note) for note in data.findings]})
        if form == "json":
            continue
        planned = [] if plan is None else [f"  plan: media of the next {len(plan)} {data.calendar.periods}"]
        print_parts(f"{client}: keeps the data contract ({_contents(data)})", *planned, *finding_lines(data))
    if form == "json":
        typer.echo(json.dumps(records, indent=1, default=str))
    raise typer.Exit(code)


def _contents(data: ClientData) -> str:
    """What a client's files hold, in a line."""
    config = data.config
    parts = [
        f"{len(data)} rows by {data.period}, {data.dates[0]:%Y-%m-%d} to {data.dates[-1]:%Y-%m-%d}",
        counted(len(config.channels), "channel"),
        counted(len(config.controls), "control"),
    ]
    if config.model.events:
        parts.append(counted(len(config.model.events), "event"))
    if config.lift_tests:
        parts.append(counted(len(config.lift_tests), "lift test"))
    return ", ".join(parts)
