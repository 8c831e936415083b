"""`mmm portfolio`: the page of all clients, rendered again."""

from __future__ import annotations

import typer

from mmm_assets.cli.stored_results import materialise_again
from mmm_assets.cli.terminal import FAILED, print_error, print_parts


def portfolio() -> None:
    """Render the page of all clients again, worst first, and print its path."""
    from mmm_assets.refreshes import jobs
    from mmm_assets.storage.io_managers import HtmlFiles

    failures = materialise_again(jobs.PORTFOLIO.name, "portfolio", {})
    if failures:
        print_error(*failures)
        raise typer.Exit(FAILED)
    print_parts(str(HtmlFiles().path("portfolio")))
