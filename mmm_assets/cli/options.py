"""Arguments and options that several commands share, and reading lists out of them.

Here: their types and help texts, names in a list, the refusal of a value that cannot be used.
Not here: options of a single command (in its own file).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
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


def pairs_in(option: str, text: str) -> dict[str, str]:
    """The pairs in a comma-separated list of the form ``name=word``.

    Args:
        option: Name of the option, for the error.
        text: The list.

    Raises:
        ConfigError: If an entry has no ``=`` with something on both sides.

    >>> pairs_in("--unit", "views=impressions, mails=mails")
    {'views': 'impressions', 'mails': 'mails'}
    """
    pairs = {}
    for entry in names_in(text):
        name, mark, word = (part.strip() for part in entry.partition("="))
        if not (name and mark and word):
            refuse(option, f"'{entry}'", "name=word", f"write for example {option} views=views_cost")
        pairs[name] = word
    return pairs


def unique(names: Iterable[str]) -> list[str]:
    """Each name once, in the order of their first appearance.

    >>> unique(["ms", "harbor", "ms"])
    ['ms', 'harbor']
    """
    return list(dict.fromkeys(names))


def clients_in(folder: Path) -> list[str]:
    """Ids of all clients in the data folder.

    Raises:
        ConfigError: If there is none: a command that looked at nothing would end well.
    """
    from mmm_engine.client.client_file import list_clients

    clients = list_clients(folder)
    if not clients:
        found = f"{folder} without a client" if folder.is_dir() else f"{folder}, which does not exist"
        refuse(
            "the data folder", found, "client files", "add one with mmm add, or point MMM_DATA_DIR elsewhere"
        )
    return clients


def refuse(where: str, found: str, wanted: str, fix: str) -> NoReturn:
    """Refuse a value of the command line.

    Raises:
        ConfigError: Always, with the value, what is allowed and what to do.
    """
    raise ConfigError("mmm", Fault(where, found, wanted, fix))
