"""The command `mmm`: everything the platform does, from a terminal or from CI.

Here: the application, put together from its commands, and its entry point.
Not here: any command; each is a file of its own beside this one.

Exit codes: 0 done, 1 a check or a run failed, 2 bad input. Commands import what is heavy when they are called:
`mmm --help` loads neither Dagster nor pandas, and only commands that fit import the sampler.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from mmm_assets.cli import (
    add,
    audit,
    backup,
    check,
    explain,
    export,
    gate,
    history,
    holidays,
    plan,
    portfolio,
    refresh,
    remove,
    repair,
    report,
    schema,
    show,
    simulate,
    ui,
)
from mmm_assets.cli.terminal import (
    BAD_INPUT,
    FAILED,
    open_missing_streams,
    outlive_readers,
    output_fault,
    print_error,
    set_loudness,
    write_whatever_the_encoding,
)
from mmm_engine.errors import MMMError

COMMANDS: dict[str, Callable[..., None]] = {  # in the order of `mmm --help`
    "refresh": refresh.refresh,
    "audit": audit.audit,
    "check": check.check,
    "add": add.add,
    "simulate": simulate.simulate,
    "holidays": holidays.holidays,
    "schema": schema.schema,
    "list": show.list_,
    "show": show.show,
    "open": show.open_,
    "explain": explain.explain,
    "history": history.history,
    "gate": gate.gate,
    "plan": plan.plan,
    "report": report.report,
    "export": export.export,
    "portfolio": portfolio.portfolio,
    "rename": remove.rename,
    "remove": remove.remove,
    "backup": backup.backup,
    "restore": backup.restore,
    "repair": repair.repair,
    "ui": ui.ui,
}

app = typer.Typer(
    name="mmm",
    help="Marketing-mix models for many clients: fitted, judged on weeks they have not seen, recorded, reported.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)


def _say_version(asked: bool) -> None:
    if asked:
        from mmm_engine.version import ENGINE_VERSION

        typer.echo(f"mmm {ENGINE_VERSION}")
        raise typer.Exit


@app.callback()
def every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print errors only, and what was asked for.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print the log of the engine too.")
    ] = False,
) -> None:
    """Marketing-mix models for many clients: fitted, judged on weeks they have not seen, recorded, reported."""
    set_loudness(quiet=quiet, verbose=verbose)
    from mmm_assets import home

    home.refuse_newer(home.home_dir())


def main() -> None:
    """Entry point: every error a user can mend ends in one message and exit code 2."""
    open_missing_streams()
    outlive_readers()
    os.environ["PYTHONSAFEPATH"] = (
        "1"  # no child process takes modules from the folder that this was called in
    )
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # as in a script's `mmm refresh acme &`: Dagster has SIGTERM do what SIGINT does, so that nothing could end it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    write_whatever_the_encoding()
    try:
        app()
    except MMMError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)
    except Exception as error:
        from mmm_assets import home
        from mmm_assets.storage.home_faults import home_fault

        if (words := output_fault(error)) is not None:
            print_error(words)
            sys.exit(FAILED)
        if (fault := home_fault(error, home.home_dir())) is None:
            raise
        print_error(str(fault))
        sys.exit(FAILED)
