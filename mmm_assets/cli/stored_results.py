"""Commands on what is stored: refusing clients that nobody knows or without results, making one asset again.

Here: what `mmm audit`, `mmm history`, `mmm report`, `mmm portfolio` and others share.
Not here: how results are stored and read (storage/).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mmm_assets import home
from mmm_assets.cli.options import refuse
from mmm_engine.client.config import check_client_id
from mmm_engine.client.natural_order import natural_order

_NAMED = 10  # clients that a message lists


def known_clients() -> list[str]:
    """Ids of clients with a file, with stored rows or with a status, in natural order."""
    from mmm_assets.pages.publication import Publication
    from mmm_assets.storage.results import ResultStore
    from mmm_engine.client.client_file import list_clients

    stored = {path.stem for path in Publication().report_path("any").parent.glob("*.json")}
    return sorted({*list_clients(home.data_dir()), *ResultStore().clients(), *stored}, key=natural_order)


def require_known(client: str, recorded: Collection[str] = ()) -> None:
    """Refuse a client of which there is nothing: no file, nothing stored.

    Args:
        client: As it was typed.
        recorded: Clients that are known from elsewhere.

    Raises:
        ConfigError: If the id is not allowed or nobody knows it; it names the nearest one.
    """
    known = {*known_clients(), *recorded}
    if check_client_id(client) not in known:
        refuse(f"client '{client}'", "no such client", *whom_to_name(client, known))


def whom_to_name(client: str, known: Collection[str]) -> tuple[str, str]:
    """What is wanted in place of a client that nobody knows, and what to do."""
    from mmm_engine.client.validation import nearest

    first, more = sorted(known, key=natural_order)[:_NAMED], ", …" if len(known) > _NAMED else ""
    wanted = f"a client that is known ({', '.join(first) or 'there is none'}{more})"
    return wanted, nearest(client, known) or "look at mmm list, or add it with mmm add"


def require_results(client: str) -> None:
    """Refuse a client that was never refreshed, before anything is written.

    Raises:
        ConfigError: If the id is not allowed or nothing is stored of the client.
    """
    from mmm_assets.pages.publication import Publication
    from mmm_assets.storage.results import ResultStore

    if not ResultStore().has_data(check_client_id(client)):
        require_known(client)
        found, again = "no stored results", f"run: mmm refresh {client}"
        if (status := Publication().status(client)) is not None:
            found = f"no stored results (its last refresh was refused: {'; '.join(status.reasons)})"
            again = f"mend what was refused, then {again}"
        refuse(f"client '{client}'", found, "a refreshed client", again)


def materialise_again(
    job: str, asset: str, tags: Mapping[str, str], config: Mapping[str, Any] | None = None
) -> list[str]:
    """Materialise one asset of a job again; what failed, in words."""
    from mmm_assets.definitions import defs
    from mmm_assets.refreshes.chain import rerun

    with home.open_instance(home.home_dir()) as instance:
        return rerun(instance, defs.resolve_job_def(job), asset, tags, config)
