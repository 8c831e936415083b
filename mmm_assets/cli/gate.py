"""`mmm gate`: are the models fit for use, by their latest checks?"""

from __future__ import annotations

import typer

from mmm_assets import home
from mmm_assets.cli.options import SomeClients, refuse, unique
from mmm_assets.cli.terminal import FAILED, print_error, print_parts
from mmm_engine.client.config import check_client_id


def gate(clients: SomeClients = None) -> None:
    """Print the latest check results; exit code 1 when an ERROR check failed or did not run. For CI."""
    from mmm_assets import partitions
    from mmm_assets.checks.latest import latest_checks
    from mmm_assets.cli.tables import advice_lines, check_table

    folder = home.home_dir()
    if not (folder / "history").exists():
        refuse("the home", f"{folder} without any run", "clients that were refreshed", "run mmm refresh")
    with home.open_instance(folder) as instance:
        judged = unique(clients or partitions.registered_clients(instance))
        checks = {client: latest_checks(instance, check_client_id(client)) for client in judged}
    every = [check for of_client in checks.values() for check in of_client]
    print_parts(check_table(every), *advice_lines(every))
    never_refreshed = [client for client, of_client in checks.items() if not of_client]
    for client in never_refreshed:
        print_error(f"client '{client}': never refreshed; run: mmm refresh {client}")
    stopped = sorted(
        client for client, of_client in checks.items() if any(check.stops for check in of_client)
    )
    if stopped:
        print_error(f"not fit for use: {', '.join(stopped)}")
    raise typer.Exit(FAILED if never_refreshed or stopped or not judged else 0)
