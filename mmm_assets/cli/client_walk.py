"""Several clients one after the other, with live progress: what `mmm refresh` and `mmm audit` share.

Here: checked options, clients whose files can be used, walking them and printing how each ended.
Not here: the chain of one client (refreshes/chain.py), what is drawn (live_fits.py, tables.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import dagster as dg
from pydantic import ValidationError

from mmm_assets import home
from mmm_assets.cli.live_fits import live_fits
from mmm_assets.cli.options import names_in, refuse, unique
from mmm_assets.cli.tables import print_outcome
from mmm_assets.cli.terminal import BAD_INPUT, FAILED, print_error, step_proof_console
from mmm_assets.definitions import defs
from mmm_assets.refreshes.chain import Announce, FindJob, RefreshOptions, RefreshOutcome, refresh_portfolio
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.config import WINDOWS, SamplerConfig
from mmm_engine.errors import MMMError


class Walk(Protocol):
    """What is done with one client: `refresh_client` or `audit_client`."""

    def __call__(
        self,
        client: str,
        *,
        instance: dg.DagsterInstance,
        find_job: FindJob,
        results: ResultStore,
        options: RefreshOptions,
        announce: Announce,
    ) -> RefreshOutcome:
        """Run the client's chain and say how it ended."""


def refresh_options(windows: str, sampler: Mapping[str, int | None]) -> RefreshOptions:
    """Checked options of a refresh or an audit.

    Args:
        windows: Names of windows, comma-separated.
        sampler: Sampler settings by name; None keeps what the client file says.

    Raises:
        ConfigError: If a window is unknown or a setting out of its range.
    """
    names = unique(names_in(windows))
    if not names or any(name not in WINDOWS for name in names):
        refuse("--windows", f"'{windows}'", f"some of {','.join(WINDOWS)}", "separate them by commas")
    overrides = {name: value for name, value in sampler.items() if value is not None}
    try:
        SamplerConfig.model_validate(overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        refuse(f"--{name}", str(overrides[name]), str(first["msg"]).lower(), "choose another number")
    return RefreshOptions(windows=tuple(names), sampler=overrides, log_level="CRITICAL")


def sound_clients(clients: Sequence[str]) -> tuple[list[str], int]:
    """Clients whose files can be used, and the exit code so far; nothing is registered or written for the others."""
    from mmm_engine.model.client_check import read_client_for_model

    sound, code = [], 0
    for client in unique(clients):
        try:
            read_client_for_model(client, home.data_dir())
        except MMMError as error:
            code = BAD_INPUT
            print_error(str(error))
        else:
            sound.append(client)
    return sound, code


def walk_clients(walk: Walk, clients: Sequence[str], options: RefreshOptions) -> int:
    """Refresh or audit sound clients one after the other, then render the portfolio; the exit code."""
    screen, results = step_proof_console(), ResultStore()
    outcomes: list[RefreshOutcome] = []
    with home.open_instance(home.home_dir()) as instance:
        for client in clients:
            with live_fits(screen) as announce:
                outcome = walk(
                    client,
                    instance=instance,
                    find_job=defs.resolve_job_def,
                    results=results,
                    options=options,
                    announce=announce,
                )
            print_outcome(screen, outcome, results)
            outcomes.append(outcome)
        portfolio_done = refresh_portfolio(instance, defs.resolve_job_def, options.log_level)
    return 0 if portfolio_done and all(outcome.succeeded for outcome in outcomes) else FAILED
