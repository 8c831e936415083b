"""Arguments and options that several commands share, and reading lists out of them.

Here: their types and help texts, names in a list, the refusal of a value that cannot be used.
Not here: options of a single command (in its own file).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from mmm_assets.cli.terminal import is_quiet, print_error
from mmm_engine.errors import ConfigError, Fault, visible


def client_ids(incomplete: str) -> list[str]:
    """Ids of clients that begin so, for completion in a shell."""
    from mmm_assets import home
    from mmm_engine.client.client_file import list_clients

    return [client for client in list_clients(home.data_dir()) if client.startswith(incomplete)]


Clients = Annotated[
    list[str],
    typer.Argument(metavar="CLIENT", help="Ids of clients in the data folder.", autocompletion=client_ids),
]
SomeClients = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CLIENT]", help="Ids of clients; without any: all.", autocompletion=client_ids),
]
OneClient = Annotated[
    str, typer.Argument(metavar="CLIENT", help="Id of the client.", autocompletion=client_ids)
]
OutputFormat = Annotated[
    Literal["table", "json"], typer.Option("--format", help="For people or for programs.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="All checks, not only those that need a look.")
]
Draws = Annotated[int | None, typer.Option(help="Kept draws per chain; overrides the client file.")]
Tune = Annotated[int | None, typer.Option(help="Tuning steps per chain.")]
Chains = Annotated[int | None, typer.Option(help="Number of chains.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the sampler.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Replace = Annotated[bool, typer.Option("--force", help="Replace a client of the same id.")]


def named_path(text: str) -> Path:
    """A path of the command line.

    Raises:
        ConfigError: If nothing is named: an unset variable of the shell would stand for the folder that the command was
            called in.
    """
    if not text.strip():
        refuse(
            "a path",
            "an empty text",
            "the name of a file or folder",
            "look at the variable that it came from",
        )
    return Path(text)


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
        name, mark, word = (part.strip() for part in entry.rpartition("="))  # names may hold one
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
    warn_of_misnamed(folder)
    if not clients:
        if folder.is_dir():
            found = f"{folder} without a client"
        elif folder.exists():
            found = f"{folder}, which is no folder"
        else:
            found = f"{folder}, which does not exist"
        fix = "add one with mmm add, or point MMM_DATA_DIR elsewhere"
        refuse("the data folder", found, "client files", fix)
    return clients


def warn_of_misnamed(folder: Path) -> None:
    """Name the files of the data folder that nobody refreshes or checks because of how they are called."""
    from mmm_engine.client.client_file import misnamed_clients

    if (names := misnamed_clients(folder)) and not is_quiet():
        listed = ", ".join(visible(name) for name in names[:8]) + (", …" if len(names) > 8 else "")
        rule = "client files are called <id>.yaml, their ids of a-z, 0-9, '_' and '-'"
        print_error(f"passed over in {folder}: {listed} ({rule})")


def require_yes(question: str, yes: bool) -> None:
    """Ask before something is deleted; without a terminal to ask at, ``--yes`` has to say it.

    Raises:
        ConfigError: If nobody can be asked.
        Abort: If the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        refuse("--yes", "no terminal to ask at", "a yes to deleting", "add --yes when it is meant")
    typer.confirm(question, abort=True)


def refuse(where: str, found: str, wanted: str, fix: str) -> NoReturn:
    """Refuse a value of the command line.

    Raises:
        ConfigError: Always, with the value, what is allowed and what to do.
    """
    raise ConfigError("mmm", Fault(where, found, wanted, fix))
