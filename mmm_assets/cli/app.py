"""The command `mmm`: everything the platform does, from a terminal or from CI.

Here: the application, put together from its commands, and its entry point.
Not here: any command; each is a file of its own beside this one.

Exit codes: 0 done, 1 a check or a run failed, 2 bad input. Commands import what is heavy when they are called:
`mmm --help` loads neither Dagster nor pandas, and only commands that fit import the sampler.
"""

from __future__ import annotations

import os
import sys

import typer

from mmm_assets.cli import (
    add,
    audit,
    check,
    gate,
    history,
    holidays,
    plan,
    portfolio,
    refresh,
    repair,
    report,
    simulate,
    ui,
)
from mmm_assets.cli.terminal import BAD_INPUT, FAILED, print_error, write_whatever_the_encoding
from mmm_engine.errors import MMMError

COMMANDS = (  # in the order of `mmm --help`
    refresh.refresh,
    audit.audit,
    check.check,
    add.add,
    simulate.simulate,
    holidays.holidays,
    history.history,
    gate.gate,
    plan.plan,
    report.report,
    portfolio.portfolio,
    repair.repair,
    ui.ui,
)

app = typer.Typer(
    name="mmm",
    help="Marketing-mix models for many clients: fitted, judged on weeks they have not seen, recorded, reported.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Entry point: every error a user can mend ends in one message and exit code 2."""
    os.environ["PYTHONSAFEPATH"] = (
        "1"  # no child process takes modules from the folder that this was called in
    )
    write_whatever_the_encoding()
    try:
        app()
    except MMMError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)
    except Exception as error:
        from mmm_assets import home
        from mmm_assets.storage.home_faults import home_fault

        if (fault := home_fault(error, home.home_dir())) is None:
            raise
        print_error(str(fault))
        sys.exit(FAILED)
