"""Public holidays of a country, to be stored with a client.

Here: the days of a country's holidays by name, from the package `holidays`, as a client file stores them.
Not here: the settings of that section (model_config.py), what holidays do in the model (model/calendar_terms.py).

A client keeps the days themselves: a newer version of the package, which may know a day better or spell a name another
way, changes no client behind anybody's back.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import re

from mmm_engine.client.model_config import EventConfig, EventDays, HolidaysConfig
from mmm_engine.client.validation import nearest
from mmm_engine.errors import ConfigError, Fault

YEARS_AHEAD = 2
"""Years after the last row whose holidays are stored: forecasts reach into them."""

_REMARK = re.compile(r" \((observed|estimated|observed, estimated)\)$")


def public_holidays(
    country: str,
    subdivision: str | None,
    first: datetime.date,
    last: datetime.date,
    *,
    years_ahead: int = YEARS_AHEAD,
) -> HolidaysConfig:
    """The public holidays of a country, from the year of a client's first row to some years after that of its last.

    A weekday on which a holiday of a weekend is made up for counts as that holiday too. Names are English where the
    package has them so.

    Args:
        country: ISO 3166 code ("DE", "US").
        subdivision: Code of a state or province ("BY"), None for holidays of the whole country only.
        first: Date of the first row.
        last: Date of the last row.
        years_ahead: How many years after it.

    Raises:
        ConfigError: If the package does not know the country or the subdivision.

    Examples:
        >>> days = public_holidays("DE", "BY", datetime.date(2024, 1, 1), datetime.date(2024, 6, 30)).days
        >>> [holiday.name for holiday in days][:2], days[0].days[0].start
        (["New Year's Day", 'Epiphany'], '2024-01-01')
    """
    import holidays as package  # takes half a second

    code = country.upper()
    countries = package.list_supported_countries(include_aliases=False)
    if code not in countries:
        fix = nearest(code, list(countries)) or "write its code as in ISO 3166: DE, US, GB"
        raise ConfigError("public holidays", Fault("country", f"'{country}'", "the code of a country", fix))
    states = package.country_holidays(code, years=first.year).subdivisions
    if subdivision is not None and subdivision not in states:
        near = nearest(subdivision, states) or "choose one of these, or leave it out"
        wanted = f"one of {', '.join(states)}" if states else f"none: '{code}' has no subdivisions"
        raise ConfigError("public holidays", Fault("subdivision", f"'{subdivision}'", wanted, near))
    years = range(first.year, last.year + years_ahead + 1)
    found = package.country_holidays(code, subdiv=subdivision, years=years, language="en_US")
    days: dict[str, list[str]] = {}
    for day in sorted(found):
        for name in found.get_list(day):
            listed = days.setdefault(_REMARK.sub("", name)[:60].strip(), [])
            if day.isoformat() not in listed:
                listed.append(day.isoformat())
    named = tuple(
        EventConfig(name=name, days=tuple(EventDays(start=day, end=day) for day in listed))
        for name, listed in days.items()
    )
    return HolidaysConfig(country=code, subdivision=subdivision, days=named)


def last_stored_day(holidays: HolidaysConfig) -> str:
    """The last day (YYYY-MM-DD) of any holiday that is stored."""
    return max(once.end for holiday in holidays.days for once in holiday.days)


def source_of_days() -> str:
    """The package that knows the days, with its version."""
    return f"the package holidays {importlib.metadata.version('holidays')}"
