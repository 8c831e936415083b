"""Arguments and options that several commands share, and reading lists out of them.

Here: their types and help texts, names in a list, the refusal of a value that cannot be used.
Not here: options of a single command (in its own file).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Annotated, NoReturn

import typer

from mmm_engine.errors import ConfigError, Fault

Clients = Annotated[list[str], typer.Argument(metavar="CLIENT", help="Ids of clients in the data folder.")]
SomeClients = Annotated[
    list[str] | None, typer.Argument(metavar="[CLIENT]", help="Ids of clients; without any: all.")
]
OneClient = Annotated[str, typer.Argument(metavar="CLIENT", help="Id of the client.")]
Draws = Annotated[int | None, typer.Option(help="Kept draws per chain; overrides the client file.")]
Tune = Annotated[int | None, typer.Option(help="Tuning steps per chain.")]
Chains = Annotated[int | None, typer.Option(help="Number of chains.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the sampler.")]
Replace = Annotated[bool, typer.Option("--force", help="Replace a client of the same id.")]


def names_in(text: str) -> list[str]:
    """The names in a comma-separated list; a name with a comma stands in double quotes.

    >>> names_in("tv, search,")
    ['tv', 'search']
    >>> names_in('"tv, cost", search')
    ['tv, cost', 'search']
    """
    rows = csv.reader([text.replace("\n", " ")], skipinitialspace=True)
    return [name.strip() for row in rows for name in row if name.strip()]


def unique(names: Iterable[str]) -> list[str]:
    """Each name once, in the order of their first appearance.

    >>> unique(["ms", "harbor", "ms"])
    ['ms', 'harbor']
    """
    return list(dict.fromkeys(names))


def refuse(where: str, found: str, wanted: str, fix: str) -> NoReturn:
    """Refuse a value of the command line.

    Raises:
        ConfigError: Always, with the value, what is allowed and what to do.
    """
    raise ConfigError("mmm", Fault(where, found, wanted, fix))
