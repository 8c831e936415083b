"""`mmm audit`: the deep look into clients that were refreshed."""

from __future__ import annotations

import typer

from mmm_assets.cli.options import Chains, Clients, Draws, Seed, Tune, unique
from mmm_engine.client.windows import STANDARD_WINDOWS


def audit(
    clients: Clients,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    seed: Seed = None,
) -> None:
    """Look deep into refreshed clients: forecasts by horizon, channels that can be read, what moves that should not.

    The client file's `audit` says how many fits of each; what was found stays in the report until settings change.
    """
    from mmm_assets.cli.client_walk import refresh_options, walk_clients
    from mmm_assets.cli.stored_results import require_results
    from mmm_assets.refreshes.chain import audit_client

    sampler = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    options = refresh_options(STANDARD_WINDOWS, sampler)
    for client in unique(clients):
        require_results(client)
    raise typer.Exit(walk_clients(audit_client, unique(clients), options))
