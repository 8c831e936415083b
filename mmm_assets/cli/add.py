"""`mmm add`: a new client from a file of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.options import OneClient, Replace, names_in
from mmm_assets.cli.terminal import print_parts


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
    saturation: Annotated[
        str | None, typer.Option(help="Response curve; that of the priors when left out.", show_default=False)
    ] = None,
    priors: Annotated[
        str,
        typer.Option(help="Set of default priors: calibrated (on returns) or toolkit (in model space)."),
    ] = "calibrated",
    seasonality: Annotated[int | None, typer.Option(help="Fourier order of a yearly cycle, 1 to 10.")] = None,
    time_varying: Annotated[
        bool, typer.Option("--time-varying", help="Let media's strength vary slowly.")
    ] = False,
    any_sign: Annotated[
        bool, typer.Option("--any-sign", help="Let controls work in both directions.")
    ] = False,
    force: Replace = False,
) -> None:
    """Add a client: check its rows, then write its file beside a copy of them."""
    from mmm_assets.cli.new_clients import add_client
    from mmm_assets.cli.tables import finding_lines

    effect = "any" if any_sign else "positive"
    settings = {
        "client": client,
        "date": date,
        "target": {"column": target, "kind": kind},
        "currency": currency,
        "channels": names_in(channels),
        "controls": [{"column": name, "effect": effect} for name in names_in(controls)],
        "model": {
            "adstock": {"kind": "geometric", "max_lag": max_lag},
            "time_varying_media": time_varying,
            **({} if saturation is None else {"saturation": saturation}),
            "priors": priors,
            "yearly_seasonality": seasonality,
        },
    }
    written, rows = add_client(settings, data, home.data_dir(), force=force)
    print_parts(f"{client}: added ({len(rows)} rows by {rows.period}); {written}", *finding_lines(rows))
    print_parts(f"Next: mmm refresh {client}")
