"""`mmm gate`: are the models fit for use, by their latest checks?"""

from __future__ import annotations

import json

import typer

from mmm_assets import home
from mmm_assets.cli.options import OutputFormat, SomeClients, clients_in, refuse, unique
from mmm_assets.cli.stored_results import known_clients, whom_to_name
from mmm_assets.cli.terminal import BAD_INPUT, FAILED, print_error, print_parts
from mmm_engine.client.config import check_client_id
from mmm_engine.client.natural_order import natural_order


def gate(clients: SomeClients = None, form: OutputFormat = "table") -> None:
    """Print the latest check results; exit code 1 when an ERROR check failed or did not run. For CI.

    Without ids all clients in the data folder are judged; one that was never refreshed is a failure.
    """
    from mmm_assets import partitions
    from mmm_assets.checks.latest import latest_checks
    from mmm_assets.cli.tables import advice_lines, check_records, check_table
    from mmm_assets.launching.processes import clients_under_way

    folder = home.home_dir()
    if not (folder / "history").exists():
        refuse("the home", f"{folder} without any run", "clients that were refreshed", "run mmm refresh")
    with home.open_instance(folder) as instance:
        registered = partitions.registered_clients(instance)
        judged = unique(clients or clients_in(home.data_dir()))
        checks = {client: latest_checks(instance, check_client_id(client)) for client in judged}
        never_refreshed = [client for client, of_client in checks.items() if not of_client]
        under_way = clients_under_way(instance) if never_refreshed else set()
    for client in [] if clients else sorted(set(registered) - set(judged), key=natural_order):
        print_error(
            f"client '{client}': not judged, its file is gone from {home.data_dir()} (renamed or removed?)"
        )
    every = [check for of_client in checks.values() for check in of_client]
    if form == "json":
        typer.echo(json.dumps(check_records(every), indent=1))
    else:
        print_parts(check_table(every), *advice_lines(every))
    known = {*known_clients(), *registered}
    for client in never_refreshed:
        if client not in known:
            wanted, fix = whom_to_name(client, known)
            print_error(f"client '{client}': found no such client; wanted {wanted}; {fix}")
        elif client in under_way:
            print_error(f"client '{client}': its first refresh is under way")
        else:
            print_error(f"client '{client}': never refreshed; run: mmm refresh {client}")
    stopped = sorted(
        (client for client, of_client in checks.items() if any(check.stops for check in of_client)),
        key=natural_order,
    )
    if stopped:
        print_error(f"not fit for use: {', '.join(stopped)}")
    if not known.issuperset(judged):
        raise typer.Exit(BAD_INPUT)
    raise typer.Exit(FAILED if never_refreshed or stopped or not judged else 0)
