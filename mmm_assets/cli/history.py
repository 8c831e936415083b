"""`mmm history`: recorded scores and forecasts, for people and for programs."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.stored_results import require_known
from mmm_assets.cli.terminal import BAD_INPUT, print_error, print_parts
from mmm_engine.client.config import check_client_id

if TYPE_CHECKING:
    import pandas as pd


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


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
    advice: Annotated[
        bool, typer.Option("--advice", help="Frozen advice: advised, spent, and what happened.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the database again from its facts.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
) -> None:
    """Print the recorded scores."""
    if client is not None:
        check_client_id(client)
    store = home.open_history()
    if rebuild:
        print_parts(f"Rebuilt {store.path} from its facts: {store.rebuild()} rows.")
        return
    if advice:
        rows = store.advice.read(client)
    else:
        rows = store.ledger(client) if ledger else store.read(client, metric, window, latest=latest)
    if rows.empty and any(word is not None for word in (client, metric, window)):
        every = store.read()
        if client is not None:
            require_known(client, set(every["client"]))
        if hint := _hint(every, metric, window):
            print_error(hint)
            raise typer.Exit(BAD_INPUT)
    if form is Format.CSV:
        from mmm_assets.cli.exports import csv_text

        sys.stdout.write(csv_text(rows))
    elif form is Format.JSON:
        sys.stdout.write(rows.to_json(orient="records", date_format="iso") + "\n")
    elif rows.empty:
        recorded = "advice" if advice else "forecasts" if ledger else "scores"
        words = {"client": client, "metric": metric, "window": window}
        asked = ", ".join(f"{name} '{word}'" for name, word in words.items() if word)
        of_client = f" {client}" if client else ""
        print_parts(
            f"No {recorded} recorded{asked and f' for {asked}'} yet in {home.home_dir()}.",
            f"Next: mmm history{of_client}" if metric or window else f"Next: mmm refresh{of_client}",
        )
    else:
        from mmm_assets.cli.tables import advice_tables, history_tables

        print_parts(*(advice_tables(rows) if advice else history_tables(rows, is_ledger=ledger)))


def _hint(every: pd.DataFrame, metric: str | None, window: str | None) -> str:
    """What somebody may have meant whose words found no rows; "" when every word is known, or like no other."""
    from mmm_engine.client.validation import nearest

    for column, word in {"metric": metric, "window": window}.items():
        known = sorted(set(every[column]))
        if word is not None and word not in known and (fix := nearest(word, known)):
            return f"{column} '{word}': nothing recorded; {fix}"
    return ""
