"""`mmm remove` and `mmm rename`: the end of a client, and another id for one."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.options import OneClient, Yes, refuse, require_yes
from mmm_assets.cli.stored_results import require_known
from mmm_assets.cli.terminal import print_parts
from mmm_engine.client.config import check_client_id


def remove(
    client: OneClient,
    erase: Annotated[
        bool,
        typer.Option(
            "--erase", help="Everything that tells of it, recorded scores and runs too; nothing comes back."
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete a client's results and pages. Its input files stay, and without --erase what is recorded of it."""
    from mmm_assets.cli.stored_results import materialise_again
    from mmm_assets.lifecycle.removal import erase_client, is_known, remove_client

    folder, file = home.home_dir(), home.data_dir() / f"{check_client_id(client)}.yaml"
    if not folder.exists() or not is_known(folder, client):
        if file.exists():
            refuse(
                f"client '{client}'",
                "nothing stored of it: it was never refreshed",
                "a client of this home",
                f"to take it back, delete {file} and the tables that it names",
            )
        require_known(client)
        refuse(f"client '{client}'", "nothing stored of it", "a client of this home", "look at mmm list")
    what = "everything that tells of it" if erase else "its results and pages"
    require_yes(f"Delete {what} from {folder}?", yes)
    removed = (erase_client if erase else remove_client)(folder, client, print_parts)
    materialise_again("portfolio_job", "portfolio", {})
    print_parts(f"Deleted of {client}: {removed.files} files of results and pages")
    if erase:
        print_parts(f"  {removed.facts} files of recorded scores, forecasts and advice, {removed.runs} runs")
    else:
        print_parts("  recorded scores, forecasts, advice and runs stay; --erase deletes them too")
    if file.exists():
        print_parts(
            f"Its inputs stay: {file} and the tables it names. While they are there, the daemon refreshes it."
        )


def rename(
    client: OneClient,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The id it shall have.")],
    yes: Yes = False,
) -> None:
    """Give a client another id: its file and what is recorded of it. Results are made anew by the next refresh."""
    from mmm_assets.lifecycle.renaming import rename_client

    folder, data = home.home_dir(), home.data_dir_to_write()
    require_yes(f"Rename {client} to {new} and delete its results under the old id?", yes)
    rows = rename_client(folder, data, client, new, print_parts)
    print_parts(f"{client} is {new} now: {data / f'{new}.yaml'}, {rows} recorded rows")
    print_parts(f"Next: mmm refresh {new}")
