"""The data folder: every file of a client lies in it.

Here: whether a path stays inside a folder once links are followed.
Not here: which paths a client file may write down (client/validation.py), what stands in the files (table.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from mmm_engine.errors import Fault

LEAVES = "a path that leaves the data folder"


def stays_inside(path: Path, folder: Path) -> bool:
    """Whether the file that a path leads to, links followed, lies in the folder or below it; it need not exist."""
    return Path(os.path.realpath(path)).is_relative_to(
        os.path.realpath(folder)
    )  # no error where links go in a circle


def folder_faults(
    path: Path, folder: Path, where: str = "the file", found: str = LEAVES
) -> tuple[Fault, ...]:
    """The fault of a path that leaves the data folder; none where it stays inside.

    Args:
        path: The file, given relative to the working directory or absolute.
        folder: The data folder.
        where: Where the path is written down, as a message names it.
        found: What the path is, in words.

    >>> folder_faults(Path("data/ms.csv"), Path("data"))
    ()
    >>> folder_faults(Path("data/../ms.csv"), Path("data"))[0].found
    'a path that leaves the data folder'
    """
    if stays_inside(path, folder):
        return ()
    fix = "put the file itself into the data folder, not a link to it"
    return (Fault(where, found, "a file inside it", fix),)
