"""`mmm repair`: new records of Dagster in the place of damaged ones."""

from __future__ import annotations

from mmm_assets import home
from mmm_assets.cli.options import refuse
from mmm_assets.cli.terminal import print_parts


def repair() -> None:
    """Move damaged records of Dagster into the quarantine and make new ones; results, pages and history stay.

    Lost is what stood in the damaged file: past runs, outcomes of checks. The next refresh records them anew.
    """
    from mmm_assets.partitions import clients
    from mmm_assets.storage.home_faults import set_aside
    from mmm_assets.storage.results import ResultStore

    folder = home.home_dir()
    if not folder.is_dir():
        refuse("the home", f"no folder {folder}", "a home", "name it in $DAGSTER_HOME")
    moved = set_aside(folder)
    if not moved:
        print_parts(f"Nothing to repair in {folder}: Dagster's records can be read.")
        return
    print_parts(*[f"Damaged, moved to: {file}" for file in moved])
    with home.open_instance(folder) as instance:
        names = ResultStore().clients()
        instance.add_dynamic_partitions(str(clients.name), names)
    print_parts(
        f"New records know the {len(names)} clients with stored rows; run mmm refresh to judge them again."
    )
