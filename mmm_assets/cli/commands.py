"""The command `mmm`: everything the platform does, from a terminal or from CI.

Here: commands, their options, exit codes (0 done, 1 a check or a run failed, 2 bad input).
Not here: the chain of runs (refresh.py), drawing (screens.py), writing client files (new_clients.py).

Heavy imports stand inside the commands that need them: `mmm --help` loads neither Dagster nor pandas, and only
commands that fit import the sampler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mmm_assets import home as homes
from mmm_engine.client.config import WINDOWS, check_client_id
from mmm_engine.errors import ConfigError, Fault, MMMError

if TYPE_CHECKING:
    from mmm_assets.refreshes.chain import RefreshOptions, RefreshOutcome

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="mmm",
    help="Marketing-mix models for many clients: fitted, judged on weeks they have not seen, recorded, reported.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Clients = Annotated[list[str], typer.Argument(metavar="CLIENT", help="Ids of clients in the data folder.")]
SomeClients = Annotated[
    list[str] | None, typer.Argument(metavar="[CLIENT]", help="Ids of clients; without any: all.")
]
OneClient = Annotated[str, typer.Argument(metavar="CLIENT", help="Id of the client.")]
Draws = Annotated[int | None, typer.Option(help="Kept draws per chain; overrides the client file.")]
Tune = Annotated[int | None, typer.Option(help="Tuning steps per chain.")]
Chains = Annotated[int | None, typer.Option(help="Number of chains.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the sampler.")]


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Audience(StrEnum):
    """Who a report is written for."""

    ANALYST = "analyst"
    CLIENT = "client"


@app.command()
def refresh(
    clients: Clients,
    windows: Annotated[str, typer.Option(help="Windows to fit, comma-separated.")] = ",".join(WINDOWS),
    draws: Draws = None,
    tune: Tune = None,
    chains: Chains = None,
    seed: Seed = None,
) -> None:
    """Fit, judge, record and report clients: the whole chain, with live progress.

    Every run is recorded by Dagster and can be looked at with `mmm ui`. A client that fails does not stop the others.
    """
    options = _refresh_options(windows, {"draws": draws, "tune": tune, "chains": chains, "seed": seed})
    sound, code = _sound_clients(clients)
    if sound:
        try:
            code = max(code, _walk("refresh", sound, options))
        except KeyboardInterrupt:
            _complain("Interrupted. What was finished is stored; run the same command again for the rest.")
            code = INTERRUPTED
    raise typer.Exit(code)


@app.command()
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
    options = _refresh_options(
        ",".join(WINDOWS), {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    )
    for client in _unique(clients):
        _require_results(check_client_id(client))
    raise typer.Exit(_walk("audit", _unique(clients), options))


@app.command()
def check(clients: SomeClients = None) -> None:
    """Check the files of clients, rows and plan of media, against their contract: seconds, all faults at once."""
    from mmm_assets.cli.screens import finding_lines
    from mmm_engine.client.client_file import list_clients
    from mmm_engine.rows.client_data import read_client
    from mmm_engine.rows.plan import client_plan

    folder, code = homes.data_dir(), 0
    for client in _unique(clients or list_clients(folder)):
        try:
            data = read_client(client, folder)
            plan = client_plan(folder, data)
        except MMMError as error:
            code = BAD_INPUT
            _say_error(error)
            continue
        rows = f"{len(data)} rows by {data.period}, {data.dates[0]:%Y-%m-%d} to {data.dates[-1]:%Y-%m-%d}"
        config = data.config
        parts = f"{len(config.channels)} channels, {len(config.controls)} controls"
        parts += f", {len(config.model.events)} events" if config.model.events else ""
        parts += f", {len(config.lift_tests)} lift tests" if config.lift_tests else ""
        planned = [] if plan is None else [f"  plan: media of the next {len(plan)} {data.period}s"]
        _print(f"{client}: keeps the data contract ({rows}, {parts})", *planned, *finding_lines(data))
    raise typer.Exit(code)


@app.command()
def add(
    client: OneClient,
    data: Annotated[Path, typer.Option(help="CSV or Parquet file; it is copied into the data folder.")],
    date: Annotated[str, typer.Option(help="Column with the dates.")],
    target: Annotated[str, typer.Option(help="Column that is explained.")],
    channels: Annotated[str, typer.Option(help="Media columns, comma-separated.")],
    controls: Annotated[str, typer.Option(help="Control columns, comma-separated.")] = "",
    kind: Annotated[str, typer.Option(help="What the target counts: revenue or conversions.")] = "revenue",
    currency: Annotated[str, typer.Option(help="Written after amounts of money, for example EUR.")] = "",
    max_lag: Annotated[int, typer.Option(help="Periods that media goes on working, the first included.")] = 4,
    saturation: Annotated[str, typer.Option(help="Response curve.")] = "michaelis_menten",
    seasonality: Annotated[int | None, typer.Option(help="Fourier order of a yearly cycle, 1 to 10.")] = None,
    time_varying: Annotated[
        bool, typer.Option("--time-varying", help="Let media's strength vary slowly.")
    ] = False,
    any_sign: Annotated[
        bool, typer.Option("--any-sign", help="Let controls work in both directions.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a client of the same id.")] = False,
) -> None:
    """Add a client: check its rows, then write its file beside a copy of them."""
    from mmm_assets.cli.new_clients import add_client
    from mmm_assets.cli.screens import finding_lines

    effect = "any" if any_sign else "positive"
    settings = {
        "client": client,
        "date": date,
        "target": {"column": target, "kind": kind},
        "currency": currency,
        "channels": _names(channels),
        "controls": [{"column": name, "effect": effect} for name in _names(controls)],
        "model": {
            "adstock": {"kind": "geometric", "max_lag": max_lag},
            "time_varying_media": time_varying,
            "saturation": saturation,
            "yearly_seasonality": seasonality,
        },
    }
    written, rows = add_client(settings, data, homes.data_dir(), force=force)
    _print(f"{client}: added ({len(rows)} rows by {rows.period}); {written}", *finding_lines(rows))
    _print(f"Next: mmm refresh {client}")


@app.command()
def simulate(
    client: OneClient,
    weeks: Annotated[int | None, typer.Option(help="Number of rows.")] = None,
    channels: Annotated[int | None, typer.Option(help="Number of channels.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the truth and the noise.")] = None,
    trend: Annotated[float, typer.Option(help="What the baseline gains, as a share of the target.")] = 0.0,
    events: Annotated[bool, typer.Option("--events", help="A sale every November, a launch.")] = False,
    lift_tests: Annotated[int, typer.Option(help="Experiments with each channel.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a client of the same id.")] = False,
) -> None:
    """Write a client whose truth is known, with its truth beside it."""
    from mmm_assets.cli.new_clients import simulate_into

    written = simulate_into(
        client,
        homes.data_dir(),
        periods=weeks,
        channels=channels,
        seed=seed,
        trend=trend,
        events=events,
        lift_tests=lift_tests,
        force=force,
    )
    _print(f"{client}: simulated; {written}")


@app.command()
def history(
    client: Annotated[
        str | None, typer.Argument(metavar="[CLIENT]", help="Id of a client; without: all.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Only this metric.")] = None,
    window: Annotated[str | None, typer.Option(help="Only this window.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the last refresh.")] = False,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Frozen forecasts and how they turned out.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the database again from its facts.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
) -> None:
    """Print the recorded scores."""
    from mmm_engine.history.store import History

    if client is not None:
        check_client_id(client)
    store = History(homes.history_path(homes.home_dir()))
    if rebuild:
        _print(f"Rebuilt {store.path} from its facts: {store.rebuild()} rows.")
        return
    rows = store.ledger(client) if ledger else store.read(client, metric, window, latest=latest)
    if form is Format.CSV:
        from mmm_assets.cli.exports import csv_text

        sys.stdout.write(csv_text(rows))
    elif form is Format.JSON:
        sys.stdout.write(rows.to_json(orient="records", date_format="iso") + "\n")
    elif rows.empty:
        _print(
            f"No {'forecasts' if ledger else 'scores'} recorded"
            + (f" for client '{client}'" if client else "")
            + " yet."
        )
    else:
        from mmm_assets.cli.screens import history_tables

        _print(*history_tables(rows, is_ledger=ledger))


@app.command()
def gate(clients: SomeClients = None) -> None:
    """Print the latest check results; exit code 1 when an ERROR check failed or did not run. For CI."""
    from mmm_assets.checks import latest
    from mmm_assets.cli.screens import check_table
    from mmm_assets.definitions import defs
    from mmm_assets.partitions import clients as known

    if not (homes.home_dir() / "history").exists():
        _refuse(
            "the home",
            f"{homes.home_dir()} without any run",
            "clients that were refreshed",
            "run mmm refresh",
        )
    with homes.open_instance(homes.home_dir()) as instance:
        asked = _unique(clients or sorted(instance.get_dynamic_partitions(str(known.name))))
        found = {check_client_id(client): latest.latest_checks(instance, defs, client) for client in asked}
    _print(check_table(row for rows in found.values() for row in rows))
    never = [client for client, rows in found.items() if not rows]
    for client in never:
        _complain(f"client '{client}': never refreshed; run: mmm refresh {client}")
    stopped = sorted({client for client, rows in found.items() if any(row.stops for row in rows)})
    if stopped:
        _complain(f"not fit for use: {', '.join(stopped)}")
    raise typer.Exit(FAILED if never or stopped or not asked else 0)


@app.command()
def report(
    client: OneClient,
    audience: Annotated[
        Audience,
        typer.Option(help="client: diagnostics in an appendix, a page of its own beside the analyst's."),
    ] = Audience.ANALYST,
) -> None:
    """Render a client's report again from what is stored, and print its path."""
    from mmm_assets.pages.publication import Publication
    from mmm_assets.partitions import PARTITION_TAG
    from mmm_assets.refreshes import jobs

    check_client_id(client)
    _require_results(client)
    for_client = audience is Audience.CLIENT
    config = {"ops": {"report": {"config": {"for_client": for_client}}}}
    failures = _run_again(jobs.PUBLISH.name, "report", {PARTITION_TAG: client}, config)
    publication = Publication(root=str(homes.home_dir()))
    if failures:
        _complain(*failures)
        raise typer.Exit(FAILED)
    _print(str(publication.client_path(client) if for_client else publication.report_path(client)))


@app.command()
def portfolio() -> None:
    """Render the page of all clients again, worst first, and print its path."""
    from mmm_assets.refreshes import jobs
    from mmm_assets.storage.io_managers import HtmlFiles

    failures = _run_again(jobs.PORTFOLIO.name, "portfolio", {})
    if failures:
        _complain(*failures)
        raise typer.Exit(FAILED)
    _print(str(HtmlFiles(root=str(homes.home_dir())).path("portfolio")))


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port of the web server.")] = 3000) -> None:
    """Start Dagster's web interface and daemon with the platform's home, on 127.0.0.1 only."""
    from mmm_assets.pages import server as pages

    home = homes.prepare_home(homes.home_dir())
    os.environ["MMM_DATA_DIR"] = str(homes.data_dir())
    workspace = str(homes.shipped_file("workspace.yaml"))
    os.environ[pages.PORT_VARIABLE] = str(port + 1)
    pages.start_server(home, port + 1)
    _print(f"Dagster on http://127.0.0.1:{port} (home {home}); stop with Ctrl-C.")
    _print(f"Portfolio and reports: {pages.page_address('portfolio/portfolio.html')}")
    sys.stdout.flush()
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev"]
    os.chdir(home)  # an .env file of whatever folder this was called from must not change the home
    os.execv(sys.executable, [*command, "-w", workspace, "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606


def main() -> None:
    """Entry point: every error a user can mend ends in one message and exit code 2."""
    try:
        app()
    except MMMError as error:
        _say_error(error)
        sys.exit(BAD_INPUT)


def _refresh_options(windows: str, sampler: dict[str, int | None]) -> RefreshOptions:
    """Checked options of a refresh."""
    from pydantic import ValidationError

    from mmm_assets.refreshes.chain import RefreshOptions
    from mmm_engine.client.config import SamplerConfig

    names = _unique(_names(windows))
    unknown = [name for name in names if name not in WINDOWS]
    if unknown or not names:
        _refuse("--windows", f"'{windows}'", f"some of {','.join(WINDOWS)}", "separate them by commas")
    overrides = {name: value for name, value in sampler.items() if value is not None}
    try:
        SamplerConfig.model_validate(overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        _refuse(f"--{name}", str(overrides[name]), str(first["msg"]).lower(), "choose another number")
    return RefreshOptions(windows=tuple(names), sampler=overrides, log_level="CRITICAL")


def _sound_clients(clients: Sequence[str]) -> tuple[list[str], int]:
    """Clients whose files can be used, and the exit code so far; nothing is registered or written for the others."""
    from mmm_engine.rows.client_data import read_client

    sound, code = [], 0
    for client in _unique(clients):
        try:
            read_client(client, homes.data_dir())
        except MMMError as error:
            code = BAD_INPUT
            _say_error(error)
        else:
            sound.append(client)
    return sound, code


def _walk(verb: Literal["refresh", "audit"], clients: Sequence[str], options: RefreshOptions) -> int:
    """Refresh or audit sound clients one after the other; the exit code."""
    from mmm_assets.cli import screens
    from mmm_assets.definitions import defs
    from mmm_assets.refreshes.chain import audit_client, refresh_client, refresh_portfolio
    from mmm_assets.storage.results import ResultStore

    walk = {"refresh": refresh_client, "audit": audit_client}[verb]
    screen, results = screens.terminal(), ResultStore()
    outcomes: list[RefreshOutcome] = []
    with homes.open_instance(homes.home_dir()) as instance:
        for client in clients:
            with screens.live_fits(screen) as announce:
                outcome = walk(
                    client,
                    instance=instance,
                    find_job=defs.resolve_job_def,
                    results=results,
                    options=options,
                    announce=announce,
                )
            screens.print_outcome(screen, outcome, results)
            outcomes.append(outcome)
        portfolio_done = refresh_portfolio(instance, defs.resolve_job_def, options.log_level)
    return 0 if portfolio_done and all(outcome.succeeded for outcome in outcomes) else FAILED


def _run_again(job: str, asset: str, tags: dict[str, str], config: dict[str, Any] | None = None) -> list[str]:
    """Materialise one asset of a job again; what failed."""
    from mmm_assets.definitions import defs
    from mmm_assets.refreshes.chain import rerun

    with homes.open_instance(homes.home_dir()) as instance:
        return rerun(instance, defs.resolve_job_def(job), asset, tags, config)


def _require_results(client: str) -> None:
    """Refuse a client that was never refreshed, before anything is written."""
    from mmm_assets.storage.io_managers import ClientDataFiles

    if not ClientDataFiles().has("client_data", client):
        _refuse(f"client '{client}'", "no stored results", "a refreshed client", f"run: mmm refresh {client}")


def _refuse(where: str, found: str, wanted: str, fix: str) -> None:
    raise ConfigError("mmm", Fault(where, found, wanted, fix))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _unique(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _print(*parts: object) -> None:
    from mmm_assets.cli.screens import console

    screen = console()
    for part in parts:
        screen.print(part, markup=False, soft_wrap=isinstance(part, str))


def _complain(*lines: str) -> None:
    for line in lines:
        typer.echo(line, err=True)


def _say_error(error: MMMError) -> None:
    _complain(str(error))
