"""Several clients one after the other, with live progress: what `mmm refresh` and `mmm audit` share.

Here: checked options, clients whose files can be used, walking them and printing how each ended.
Not here: the chain of one client (refreshes/chain.py), what is drawn (live_fits.py, tables.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import dagster as dg
import typer
from pydantic import ValidationError

from mmm_assets import home
from mmm_assets.cli.live_fits import live_fits
from mmm_assets.cli.options import names_in, refuse, unique
from mmm_assets.cli.tables import failure_lines, outcome_record, print_outcome
from mmm_assets.cli.terminal import BAD_INPUT, FAILED, is_quiet, print_error, step_proof_console
from mmm_assets.definitions import defs
from mmm_assets.refreshes.chain import Announce, FindJob, RefreshOptions, RefreshOutcome, refresh_portfolio
from mmm_assets.storage.results import ResultStore
from mmm_engine.client.client_file import read_client_config
from mmm_engine.client.config import SamplerConfig
from mmm_engine.client.windows import STANDARD_WINDOWS, Window, standard_window
from mmm_engine.errors import MMMError


@dataclass(frozen=True)
class Show:
    """What is printed of refreshes.

    Attributes:
        verbose: All checks, not only those that need a look.
        as_json: One JSON object a client on standard output; everything else goes to standard error.
    """

    verbose: bool = False
    as_json: bool = False


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


def named_windows(names: str) -> tuple[Window, ...]:
    """The windows of names separated by commas.

    Raises:
        ConfigError: If there is none, or one is unknown.
    """
    known = {window.name for window in STANDARD_WINDOWS}
    chosen = unique(names_in(names))
    if not chosen or not known.issuperset(chosen):
        listed = ",".join(window.name for window in STANDARD_WINDOWS)
        refuse("--windows", f"'{names}'", f"some of {listed}", "separate them by commas")
    return tuple(map(standard_window, chosen))


def refresh_options(windows: tuple[Window, ...], sampler: Mapping[str, int | None]) -> RefreshOptions:
    """Checked options of a refresh or an audit.

    Args:
        windows: Windows to fit.
        sampler: Sampler settings by name; None keeps what the client file says.

    Raises:
        ConfigError: If a setting is out of its range.
    """
    overrides = {name: value for name, value in sampler.items() if value is not None}
    try:
        SamplerConfig.model_validate(overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        refuse(f"--{name}", str(overrides[name]), str(first["msg"]).lower(), "choose another number")
    return RefreshOptions(windows=windows, sampler=overrides, log_level="CRITICAL")


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


def trial_reasons(clients: Sequence[str], options: RefreshOptions, *, publish: bool) -> dict[str, str]:
    """Clients whose refresh is a trial, which publishes and records nothing, with the reason in words.

    Args:
        clients: Clients whose files can be used.
        options: How the refresh differs from what the files say.
        publish: False makes every refresh a trial.
    """
    if not publish:
        return dict.fromkeys(clients, "--no-publish")
    reasons = {}
    for client in clients:
        settings = read_client_config(home.data_dir() / f"{client}.yaml").sampler
        fewer = [
            f"--{name} {options.sampler[name]} where its file says {usual}"
            for name, usual in (
                ("draws", settings.draws),
                ("tune", settings.tune),
                ("chains", settings.chains),
            )
            if options.sampler.get(name, usual) < usual
        ]
        if fewer:
            reasons[client] = " and ".join(fewer)
    return reasons


def try_clients(
    walk: Walk, trials: Mapping[str, str], options: RefreshOptions, *, show: Show = Show()
) -> int:
    """Refresh clients in the home of trials: nothing in the home is touched, and nobody else sees what comes out.

    Args:
        walk: What is done with each.
        trials: Client to why it is a trial.
        options: How.
        show: What is printed.

    Returns:
        The exit code.
    """
    in_earnest, shared = home.home_dir(), os.environ.pop(home.STORAGE_VARIABLE, None)
    try:
        code = walk_clients(walk, list(trials), options, folder=in_earnest / home.TRIALS, show=show)
    finally:
        os.environ["DAGSTER_HOME"] = str(in_earnest)
        if shared is not None:
            os.environ[home.STORAGE_VARIABLE] = shared
    for client, reason in trials.items():
        typer.echo(f"{client}: a trial ({reason}): nothing is published or recorded", err=show.as_json)
    return code


def walk_clients(
    walk: Walk,
    clients: Sequence[str],
    options: RefreshOptions,
    *,
    folder: Path | None = None,
    show: Show = Show(),
) -> int:
    """Refresh or audit sound clients one after the other, then render the portfolio; the exit code.

    Args:
        walk: What is done with each.
        clients: Which.
        options: How.
        folder: Dagster's home; the usual one when None.
        show: What is printed.
    """
    screen, results = step_proof_console(to_stderr=show.as_json), ResultStore()
    outcomes: list[RefreshOutcome] = []
    with home.open_instance(folder or home.home_dir()) as instance:
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
            print_outcome(screen, outcome, results, verbose=show.verbose)
            if show.as_json:
                typer.echo(json.dumps(outcome_record(outcome, results)))
            elif is_quiet():
                print_error(*failure_lines(outcome))
            outcomes.append(outcome)
        portfolio_done = refresh_portfolio(instance, defs.resolve_job_def, options.log_level)
    if not portfolio_done:
        print_error("The page of all clients could not be written again; mmm portfolio says why.")
    return 0 if portfolio_done and all(outcome.succeeded for outcome in outcomes) else FAILED
