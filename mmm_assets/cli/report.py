"""`mmm report`: a client's page, rendered again from what is stored."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mmm_assets.cli.options import OneClient
from mmm_assets.cli.stored_results import materialise_again, require_results
from mmm_assets.cli.terminal import FAILED, print_error, print_parts


class Audience(StrEnum):
    """Who a report is written for."""

    ANALYST = "analyst"
    CLIENT = "client"


def report(
    client: OneClient,
    audience: Annotated[
        Audience,
        typer.Option(help="client: one short page without diagnostics, beside the analyst's report."),
    ] = Audience.ANALYST,
) -> None:
    """Render a client's report again from what is stored, and print its path."""
    from mmm_assets.dagster_private.tags import PARTITION_NAME_TAG
    from mmm_assets.pages.publication import Publication
    from mmm_assets.refreshes import jobs

    require_results(client)
    for_client = audience is Audience.CLIENT
    config = {"ops": {"report": {"config": {"for_client": for_client}}}}
    failures = materialise_again(jobs.PUBLISH.name, "report", {PARTITION_NAME_TAG: client}, config)
    if failures:
        print_error(*failures)
        raise typer.Exit(FAILED)
    publication = Publication()
    print_parts(str(publication.client_path(client) if for_client else publication.report_path(client)))
