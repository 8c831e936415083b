"""`mmm backup` and `mmm restore`: one file that holds a home and its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.options import named_path
from mmm_assets.cli.terminal import print_parts


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=named_path, help="The tar file to write.")],
) -> None:
    """Copy the home and the client files into one tar file; the daemon and refreshes may go on meanwhile."""
    from mmm_assets.lifecycle.backup import back_up

    folder = home.home_dir()
    count = back_up(folder, home.data_dir(), file)
    print_parts(f"{file}: {count} files, {file.stat().st_size / 1e6:.1f} MB")
    if elsewhere := home.shared_root(folder):
        print_parts(f"Not in it: results, pages and facts in {elsewhere} (${home.STORAGE_VARIABLE}).")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=named_path, help="What mmm backup wrote.")],
) -> None:
    """Make the home ($DAGSTER_HOME) and the client files ($MMM_DATA_DIR) from a backup; both folders must be empty."""
    from mmm_assets.lifecycle import backup as copies

    folder, data = home.home_dir(), home.data_dir_to_write()
    count = copies.restore(file, folder, data)
    print_parts(f"Restored {count} files: home {folder}, client files {data}")
