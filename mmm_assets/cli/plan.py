"""`mmm plan`: the best plan of money for the coming periods of a refreshed client."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.history import Format
from mmm_assets.cli.options import OneClient, named_path, names_in, refuse
from mmm_assets.cli.stored_results import require_results
from mmm_assets.cli.terminal import FAILED, print_error, print_parts


def plan(
    client: OneClient,
    ahead: Annotated[
        int | None, typer.Option("--next", help="Coming periods to plan; the client file's horizon without.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="An amount, last_4, last_13, profit, 'roi 2', 'mroi 1', +20000, -10%."),
    ] = None,
    within: Annotated[
        str | None, typer.Option(help="How far a channel may move from today, as 30% or 0.3; 'any'.")
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="mean, 'worst 5%', 'reach 120000' or 'beat today'.")
    ] = None,
    keep: Annotated[str | None, typer.Option(help="Channels that go on as today, comma-separated.")] = None,
    by_period: Annotated[
        bool, typer.Option("--by-period", help="Decide on each period, not on totals alone.")
    ] = False,
    scenario: Annotated[
        list[Path] | None,
        typer.Option(
            help="A plan of money (CSV, Excel or Parquet) to compare on the same draws; may come again."
        ),
    ] = None,
    frontier: Annotated[
        bool, typer.Option("--frontier", help="The best plan of each of 20 budgets.")
    ] = False,
    tests: Annotated[bool, typer.Option("--tests", help="What a test of each channel is worth.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            parser=named_path,
            metavar="PATH",
            help="Write the media of the plan here: what the client file's 'forecast: {plan: ...}' takes.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
) -> None:
    """Say which channels to raise, hold or cut, what that gains, and how sure it is.

    Advice comes from the last refresh. Exit code 1: the model is not to be used; 2: the request cannot be met (the
    message says which budgets can).
    """
    from mmm_assets.cli.plan_tables import plan_parts
    from mmm_assets.storage.advice import AdviceRequest, advise, scenario_plan
    from mmm_engine.decisions.guards import UnfitModelError

    require_results(client)
    request = AdviceRequest(
        horizon=ahead,
        budget=budget,
        within=None if within is None else _share(within),
        objective=objective,
        keep=None if keep is None else tuple(names_in(keep)),
        by_period=by_period,
    )
    try:
        best = advise(client, request, home.data_dir()).plan
    except UnfitModelError as refusal:
        print_error(str(refusal))
        raise typer.Exit(FAILED) from None
    if output is not None:
        from mmm_engine.files.atomic_write import write_text

        if output.suffix != ".csv":
            refuse("--output", str(output), "a file that ends in .csv", "choose such a name")
        write_text(output, best.media.to_csv(index=False, date_format="%Y-%m-%d"))
    scenarios = {path.stem: scenario_plan(path, best.window) for path in scenario or ()}
    rows = best.table
    if scenarios:
        rows = best.compare(scenarios)
    elif frontier:
        rows = best.frontier()
    elif tests:
        rows = best.tests
    if form is Format.CSV:
        from mmm_assets.cli.exports import csv_text

        sys.stdout.write(csv_text(rows))
    elif form is Format.JSON:
        sys.stdout.write(rows.to_json(orient="records", date_format="iso") + "\n")
    else:
        print_parts(*plan_parts(best, rows, is_table=rows is best.table))
        if output is not None:
            print_parts(f"Media of the plan: {output}")


ANY_DISTANCE = float("inf")


def _share(text: str) -> float:
    """A share as people write it."""
    if text.strip().lower() == "any":
        return ANY_DISTANCE
    try:
        share = float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 10.0:
        refuse("--within", f"'{text}'", "a share from 0 to 10, as 30% or 0.3, or 'any'", "write such a share")
    return share
