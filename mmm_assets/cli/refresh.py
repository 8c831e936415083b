"""`mmm refresh`: the whole chain of clients, with live progress."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from mmm_assets.cli.options import Chains, Clients, Draws, OutputFormat, Seed, Tune, Verbose
from mmm_assets.cli.terminal import INTERRUPTED, print_error
from mmm_engine.client.windows import STANDARD_WINDOWS

ALL_WINDOWS = ",".join(window.name for window in STANDARD_WINDOWS)


def refresh(
    clients: Clients,
    windows: Annotated[str, typer.Option(help="Windows to fit, comma-separated.")] = ALL_WINDOWS,
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    seed: Seed = None,
    accept_restated: Annotated[
        bool,
        typer.Option(
            "--accept-restated",
            help="Take files that lost rows they had, or restate older ones, since the last refresh.",
        ),
    ] = False,
    no_publish: Annotated[
        bool,
        typer.Option(
            "--no-publish",
            help="A trial, in a home of its own inside the home. So is a refresh with fewer draws, tuning steps or "
            "chains than the client file says.",
        ),
    ] = False,
    verbose: Verbose = False,
    form: OutputFormat = "table",
) -> None:
    """Fit, judge, record and report clients: the whole chain, with live progress.

    Every run is recorded by Dagster and can be looked at with `mmm ui`. A client that fails does not stop the others.
    """
    from mmm_assets.cli.client_walk import (
        Show,
        named_windows,
        refresh_options,
        sound_clients,
        trial_reasons,
        try_clients,
        walk_clients,
    )
    from mmm_assets.refreshes.chain import refresh_client

    show = Show(verbose=verbose, as_json=form == "json")
    options = refresh_options(
        named_windows(windows), {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    )
    options = replace(options, accept_restated=accept_restated)
    sound, code = sound_clients(clients)
    trials = trial_reasons(sound, options, publish=not no_publish)
    in_earnest = [client for client in sound if client not in trials]
    if sound:
        try:
            if in_earnest:
                code = max(code, walk_clients(refresh_client, in_earnest, options, show=show))
            if trials:
                code = max(code, try_clients(refresh_client, trials, options, show=show))
        except KeyboardInterrupt:
            print_error("Interrupted. What was finished is stored; run the same command again for the rest.")
            code = INTERRUPTED
    raise typer.Exit(code)
