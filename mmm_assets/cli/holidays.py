"""`mmm holidays`: the public holidays of a country, as a client file stores them."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm_assets.cli.options import refuse
from mmm_assets.cli.terminal import print_parts


def holidays(
    country: Annotated[str, typer.Argument(metavar="COUNTRY", help="Code of the country: DE, US, GB.")],
    since: Annotated[int, typer.Option(help="First year.")],
    until: Annotated[int, typer.Option(help="Last year.")],
    subdivision: Annotated[
        str | None, typer.Option(help="Code of a state or province: BY, CA.", show_default=False)
    ] = None,
) -> None:
    """Print the public holidays of a country, to be put under 'model' in a client file."""
    import datetime

    from mmm_engine.client.client_file import holidays_section
    from mmm_engine.client.holidays import public_holidays

    if not 1900 <= since <= until <= 2100:
        refuse("--since, --until", f"{since} to {until}", "years from 1900 to 2100, in order", "correct them")
    first, last = datetime.date(since, 1, 1), datetime.date(until, 12, 31)
    print_parts(holidays_section(public_holidays(country, subdivision, first, last, years_ahead=0)))
