"""Commands on what is stored: refusing clients without results, making one asset again.

Here: what `mmm audit`, `mmm report` and `mmm portfolio` share.
Not here: how results are stored and read (storage/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmm_assets import home
from mmm_assets.cli.options import refuse
from mmm_engine.client.config import check_client_id


def require_results(client: str) -> None:
    """Refuse a client that was never refreshed, before anything is written.

    Raises:
        ConfigError: If the id is not allowed or nothing is stored of the client.
    """
    from mmm_assets.pages.publication import Publication
    from mmm_assets.storage.results import ResultStore
    from mmm_engine.client.validation import nearest

    store = ResultStore()
    if not store.has_data(check_client_id(client)):
        found, again = "no stored results", f"run: mmm refresh {client}"
        if (status := Publication().status(client)) is not None:
            found = f"no stored results (its last refresh was refused: {'; '.join(status.reasons)})"
            again = f"mend what was refused, then {again}"
        refuse(f"client '{client}'", found, "a refreshed client", nearest(client, store.clients()) or again)


def materialise_again(
    job: str, asset: str, tags: Mapping[str, str], config: Mapping[str, Any] | None = None
) -> list[str]:
    """Materialise one asset of a job again; what failed, in words."""
    from mmm_assets.definitions import defs
    from mmm_assets.refreshes.chain import rerun

    with home.open_instance(home.home_dir()) as instance:
        return rerun(instance, defs.resolve_job_def(job), asset, tags, config)
