"""`mmm gate`: are the models fit for use, by their latest checks?"""

from __future__ import annotations

import json

import typer

from mmm_assets import home
from mmm_assets.cli.options import OutputFormat, SomeClients, clients_in, refuse, unique
from mmm_assets.cli.terminal import FAILED, print_error, print_parts
from mmm_engine.client.config import check_client_id


def gate(clients: SomeClients = None, form: OutputFormat = "table") -> None:
    """Print the latest check results; exit code 1 when an ERROR check failed or did not run. For CI.

    Without ids all clients in the data folder are judged; one that was never refreshed is a failure.
    """
    from mmm_assets import partitions
    from mmm_assets.checks.latest import latest_checks
    from mmm_assets.cli.tables import advice_lines, check_records, check_table
    from mmm_engine.client.validation import nearest

    folder = home.home_dir()
    if not (folder / "history").exists():
        refuse("the home", f"{folder} without any run", "clients that were refreshed", "run mmm refresh")
    with home.open_instance(folder) as instance:
        registered = partitions.registered_clients(instance)
        judged = unique(clients or clients_in(home.data_dir()))
        checks = {client: latest_checks(instance, check_client_id(client)) for client in judged}
    for client in [] if clients else sorted(set(registered) - set(judged)):
        print_error(
            f"client '{client}': not judged, its file is gone from {home.data_dir()} (renamed or removed?)"
        )
    every = [check for of_client in checks.values() for check in of_client]
    if form == "json":
        typer.echo(json.dumps(check_records(every), indent=1))
    else:
        print_parts(check_table(every), *advice_lines(every))
    never_refreshed = [client for client, of_client in checks.items() if not of_client]
    for client in never_refreshed:
        hint = nearest(client, set(registered) - {client})
        print_error(f"client '{client}': never refreshed; {hint or f'run: mmm refresh {client}'}")
    stopped = sorted(
        client for client, of_client in checks.items() if any(check.stops for check in of_client)
    )
    if stopped:
        print_error(f"not fit for use: {', '.join(stopped)}")
    raise typer.Exit(FAILED if never_refreshed or stopped or not judged else 0)
