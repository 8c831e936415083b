"""`mmm export`: a client's results as tables for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmm_assets.cli.options import OneClient, named_path, refuse
from mmm_assets.cli.stored_results import require_results
from mmm_assets.cli.terminal import print_parts
from mmm_engine.files.atomic_write import make_folder

if TYPE_CHECKING:
    from mmm_assets.types import DataFrame


class TableFormat(StrEnum):
    """How tables are written."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


def export(
    client: OneClient,
    to: Annotated[
        Path | None,
        typer.Option(parser=named_path, metavar="PATH", help="Folder to write into; without it: ./<client>."),
    ] = None,
    form: Annotated[TableFormat, typer.Option("--format", help="Form of the tables.")] = TableFormat.CSV,
) -> None:
    """Write contributions, returns, response curves, parameters, predictions and forecast of the model of all rows."""
    from mmm_assets.storage.results import ResultStore
    from mmm_engine.client.windows import FULL

    require_results(client)
    results = ResultStore().read(client)
    if FULL not in results.windows:
        refuse(
            f"client '{client}'",
            "no fit of its present rows",
            "a refreshed client",
            f"run: mmm refresh {client}",
        )
    window = results.windows[FULL]
    tables = {
        "contributions": window.decomposition,
        "returns": window.returns,
        "response_curves": window.curves,
        "parameters": window.parameters,
        "predictions": window.predictions,
        "scores": window.metrics,
    }
    if results.forecast is not None:
        tables["forecast"] = results.forecast
    folder = Path(client) if to is None else to
    make_folder(folder)
    for path in _write(tables, folder, client, form):
        print_parts(str(path))


def _write(tables: dict[str, DataFrame], folder: Path, client: str, form: TableFormat) -> list[Path]:
    """Write tables, one file each, or a sheet each of one workbook; the files."""
    from mmm_assets.cli.exports import csv_text, plain_cell
    from mmm_engine.files.atomic_write import replace_file, write_text

    if form is TableFormat.XLSX:
        import pandas as pd

        path = folder / f"{client}.xlsx"

        def write(fresh: Path) -> None:
            with pd.ExcelWriter(fresh, engine="openpyxl") as book:
                for name, table in tables.items():
                    safe = table.map(plain_cell)
                    safe.to_excel(book, sheet_name=name, index=False)

        replace_file(path, write)
        return [path]
    paths = []
    for name, table in tables.items():
        path = folder / f"{client}.{name}.{form.value}"
        if form is TableFormat.CSV:
            write_text(path, csv_text(table))
        else:
            replace_file(path, lambda fresh, table=table: table.to_parquet(fresh, index=False))  # type: ignore[misc]
        paths.append(path)
    return paths
