"""`mmm add`: a new client from a file of rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from mmm_assets import home
from mmm_assets.cli.options import OneClient, Replace, named_path, names_in, pairs_in, refuse
from mmm_assets.cli.terminal import print_parts
from mmm_engine.errors import DataError

if TYPE_CHECKING:
    from mmm_engine.client.config import ClientConfig
    from mmm_engine.rows.suggestions import Suggestion

_MOST_LISTED = 40


def add(
    client: OneClient,
    data: Annotated[
        Path,
        typer.Option(
            parser=named_path,
            metavar="PATH",
            help="CSV, Excel or Parquet file, packed or not; it is copied into the data folder.",
        ),
    ],
    date: Annotated[
        str,
        typer.Option(
            help="Column with the dates; when left out, the file's columns are listed.", show_default=False
        ),
    ] = "",
    target: Annotated[str, typer.Option(help="Column that is explained.", show_default=False)] = "",
    channels: Annotated[
        str,
        typer.Option(
            help="Media columns, comma-separated; a name with a comma in double quotes.", show_default=False
        ),
    ] = "",
    cost: Annotated[
        str,
        typer.Option(help="Money of channels that count something else: views=views_cost, comma-separated."),
    ] = "",
    unit: Annotated[
        str, typer.Option(help="What channels count that are no money: views=impressions, comma-separated.")
    ] = "",
    controls: Annotated[
        str,
        typer.Option(help="Control columns, comma-separated; they may work in both directions."),
    ] = "",
    positive: Annotated[str, typer.Option(help="Those of them that can only raise the target.")] = "",
    negative: Annotated[str, typer.Option(help="Those of them that can only lower it.")] = "",
    kind: Annotated[str, typer.Option(help="What the target counts: revenue or conversions.")] = "revenue",
    currency: Annotated[
        str, typer.Option(help="Written after amounts of money (EUR); that of the cells when left out.")
    ] = "",
    max_lag: Annotated[
        int | None,
        typer.Option(
            help="Periods that media goes on working, the first included; 8 weeks of rows when left out.",
            show_default=False,
        ),
    ] = None,
    adstock: Annotated[
        str,
        typer.Option(help="Carry-over: geometric, delayed, binomial, weibull_pdf, weibull_cdf or none."),
    ] = "geometric",
    saturation: Annotated[
        str | None, typer.Option(help="Response curve; that of the priors when left out.", show_default=False)
    ] = None,
    priors: Annotated[
        str,
        typer.Option(help="Set of default priors: calibrated (on returns) or toolkit (in model space)."),
    ] = "calibrated",
    seasonality: Annotated[
        int | None, typer.Option(help="Fourier order of a yearly cycle, 1 to 10.", show_default=False)
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Take in its public holidays: DE, US, GB.", show_default=False)
    ] = None,
    holidays: Annotated[
        bool | None,
        typer.Option("--holidays/--no-holidays", help="Whether they are taken in.", show_default=False),
    ] = None,
    subdivision: Annotated[
        str | None, typer.Option(help="State or province with holidays of its own.", show_default=False)
    ] = None,
    suggested: Annotated[
        bool, typer.Option("--suggested", help="Take over what the rows ask for, without asking.")
    ] = False,
    time_varying: Annotated[
        bool, typer.Option("--time-varying", help="Let media's strength vary slowly.")
    ] = False,
    sheet: Annotated[
        str | None,
        typer.Option(
            help="Sheet of a workbook; the first, or the only one with the columns.", show_default=False
        ),
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Between the cells of a CSV file: , ; tab |", show_default=False)
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="Decimal mark of its numbers: . or ,", show_default=False)
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option(help="Order in its dates: day/month/year, month/day/year, …", show_default=False),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of its text: utf-8, utf-16, windows-1252.", show_default=False)
    ] = None,
    blank_is_zero: Annotated[
        bool, typer.Option("--blank-is-zero", help="Blank cells of media mean that nothing was spent.")
    ] = False,
    any_sign: Annotated[bool, typer.Option("--any-sign", hidden=True)] = False,
    force: Replace = False,
) -> None:
    """Add a client: check its rows, then write its file beside a copy of them."""
    from mmm_assets.cli.new_clients import Holidays, add_client
    from mmm_assets.cli.tables import finding_lines

    named = {"--date": date, "--target": target, "--channels": channels}
    if unsaid := [option for option, words in named.items() if not words.strip()]:
        _list_columns(data, unsaid)
    if subdivision is not None and country is None:
        refuse("--subdivision", f"'{subdivision}' without a country", "--country too", "add --country DE")
    if holidays and country is None:
        refuse("--holidays", "no country", "--country too", "add --country DE")
    settings = {
        "client": client,
        "csv": {"separator": separator, "decimal": decimal, "dates": dates, "encoding": encoding}
        | {"blank_media_is_zero": blank_is_zero},
        "sheet": sheet,
        "date": date,
        "target": {"column": target, "kind": kind},
        "currency": currency,
        "channels": _with_units(names_in(channels), pairs_in("--unit", unit), pairs_in("--cost", cost)),
        "controls": _with_signs(names_in(controls), names_in(positive), names_in(negative)),
        "model": {
            "adstock": {"kind": adstock} | ({} if max_lag is None else {"max_lag": max_lag}),
            "time_varying_media": time_varying,
            **({} if saturation is None else {"saturation": saturation}),
            "priors": priors,
            "yearly_seasonality": seasonality,
        },
    }
    written, rows = add_client(
        settings,
        data,
        home.data_dir_to_write(),
        force=force,
        holidays=None if country is None or holidays is False else Holidays(country, subdivision),
        choose=_chooser(suggested=suggested),
    )
    print_parts(f"{client}: added ({len(rows)} rows by {rows.period}); {written}")
    if form := list(rows.form.words()):
        print_parts(f"  file: {', '.join(form)}; kept in the client file")
    if not currency and rows.config.currency:
        print_parts(f"  currency: {rows.config.currency}, as cells say; kept in the client file")
    print_parts(*_assumptions(rows.config), *finding_lines(rows))
    if rows.suggestions:
        print_parts(f"  with --suggested (and --force): {'; '.join(one.written for one in rows.suggestions)}")
    print_parts(f"Next: mmm refresh {client}")


def _list_columns(data: Path, unsaid: Sequence[str]) -> NoReturn:
    """Refuse to guess which column is which, and say which there are.

    Raises:
        ConfigError: Always.
    """
    from mmm_engine.files.table import read_table

    table, faults = read_table(data, ())
    if table is None:
        raise DataError(f"mmm: {data}", faults)
    more = f" and {len(table.header) - _MOST_LISTED} more" if len(table.header) > _MOST_LISTED else ""
    there = ", ".join(table.header[:_MOST_LISTED]) + more
    refuse(", ".join(unsaid), "nothing", "columns of the file", f"choose from those of {data.name}: {there}")


def _with_units(channels: list[str], units: dict[str, str], costs: dict[str, str]) -> list[dict[str, str]]:
    """The channels with what they count and the columns of their money."""
    for option, named in (("--unit", units), ("--cost", costs)):
        unknown = [name for name in named if name not in channels]
        if unknown:
            refuse(option, f"'{unknown[0]}'", "a channel", "name it under --channels too")
    return [
        {"column": name}
        | ({"unit": units.get(name, "units")} if name in units or name in costs else {})
        | ({"cost": costs[name]} if name in costs else {})
        for name in channels
    ]


def _assumptions(config: ClientConfig) -> Iterator[str]:
    """What was taken for true because nobody said otherwise."""
    money = [
        one.column
        for one, paid in zip(config.channels, config.paid, strict=True)
        if paid and one.cost is None
    ]
    if money:
        verb = "is" if len(money) == 1 else "are"
        yield f"  assumed: {', '.join(money)} {verb} money spent (--unit, --cost otherwise)"
    free = [one.column for one in config.controls if one.effect == "any"]
    if free:
        yield f"  assumed: {', '.join(free)} may raise or lower the target (--positive, --negative otherwise)"


def _with_signs(controls: list[str], positive: list[str], negative: list[str]) -> list[dict[str, str]]:
    """The controls with the signs that somebody knows; nobody's silence is a sign."""
    unknown = [name for name in (*positive, *negative) if name not in controls]
    if unknown:
        refuse("--positive, --negative", f"'{unknown[0]}'", "a control", "name it under --controls too")
    both = [name for name in positive if name in negative]
    if both:
        refuse("--positive, --negative", f"'{both[0]}' in both", "one sign", "leave it out of one of them")
    signs = dict.fromkeys(positive, "positive") | dict.fromkeys(negative, "negative")
    return [{"column": name, "effect": signs.get(name, "any")} for name in controls]


def _chooser(*, suggested: bool) -> Callable[[Sequence[Suggestion]], Sequence[Suggestion]]:
    """Which suggestions are taken over: all, those that a person at the terminal agrees to, or none."""

    def choose(offered: Sequence[Suggestion]) -> Sequence[Suggestion]:
        if not offered:
            return ()
        if suggested:
            print_parts(*(f"  taken over: {one.written} ({one.reason})" for one in offered))
            return offered
        if sys.stdin.isatty() and sys.stdout.isatty():
            return [one for one in offered if typer.confirm(f"{one.reason}\n  {one.written}?", default=True)]
        return ()

    return choose
