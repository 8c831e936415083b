"""`mmm list`, `mmm show`, `mmm open`: which clients there are, where one stands, its report in the browser."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmm_assets import home
from mmm_assets.cli.options import OneClient, OutputFormat, Verbose, refuse, warn_of_misnamed
from mmm_assets.cli.stored_results import known_clients, require_results
from mmm_assets.cli.terminal import print_parts
from mmm_engine.report.wording import count as counted

if TYPE_CHECKING:
    from mmm_assets.pages.publication import Publication


def list_(form: OutputFormat = "table") -> None:
    """List the clients: verdict of the last refresh, its age, the last row, and what the plan of the budget says."""
    from mmm_assets.cli.tables import plain_table
    from mmm_assets.pages.publication import Publication
    from mmm_engine.client.client_file import list_clients

    publication, folder = Publication(), home.data_dir()
    with_files = set(list_clients(folder))
    warn_of_misnamed(folder)
    rows = [_standing(publication, client, client in with_files) for client in known_clients()]
    under_way = _under_way() if any(row["verdict"] is None for row in rows) else set()
    for row in rows:
        row["first_refresh_runs"] = row["verdict"] is None and row["client"] in under_way
    if form == "json":
        typer.echo(json.dumps(rows, indent=1))
    elif not rows:
        print_parts(
            f"No clients: {folder} holds no client files, {home.home_dir()} no results.", "Next: mmm add"
        )
    else:
        headings = {
            "client": "client",
            "verdict": "verdict",
            "days": "days old",
            "last_row": "last row",
            "plan": "plan",
        }
        title = f"{counted(len(rows), 'client')} ({folder})"
        print_parts(plain_table(title, headings, [{**row, "verdict": _words(row)} for row in rows]))


def show(
    client: OneClient,
    verbose: Verbose = False,
    form: OutputFormat = "table",
) -> None:
    """Show where a client stands: verdict, reasons, scores, the checks that need a look, its report."""
    from mmm_assets.checks.latest import latest_checks
    from mmm_assets.cli.tables import (
        advice_lines,
        check_records,
        check_table,
        count_lines,
        in_need,
        score_table,
    )
    from mmm_assets.launching.processes import clients_under_way
    from mmm_assets.pages.publication import Publication
    from mmm_assets.storage.results import ResultStore
    from mmm_engine.report.portfolio import FIRST_REFRESH

    require_results(client)
    publication, results = Publication(), ResultStore().read(client)
    status = publication.status(client)
    with home.open_instance(home.home_dir()) as instance:
        checks = latest_checks(instance, client)
        under_way = clients_under_way(instance) if status is None else set()
    if form == "json":
        scores = {
            window.name: json.loads(stored.metrics.to_json(orient="records"))
            for window, stored in results.windows.items()
        }
        standing = _standing(publication, client, (home.data_dir() / f"{client}.yaml").exists())
        standing["first_refresh_runs"] = client in under_way
        typer.echo(json.dumps({**standing, "scores": scores, "checks": check_records(checks)}, indent=1))
        return
    shown = checks if verbose else in_need(checks)
    hint = "" if verbose else f"\nAll of them: mmm show {client} --verbose"
    print_parts(score_table(results), *([check_table(shown)] if shown else []))
    print_parts(*([f"{count_lines(checks)}{hint}"] if checks else []), *advice_lines(checks))
    if status is None:
        again = "never refreshed to the end; run: mmm refresh " + client
        print_parts(f"{client}: {FIRST_REFRESH if client in under_way else again}")
        return
    if not status.published:
        print_parts(*[f"  not published: {reason}" for reason in status.reasons])
    page = publication.report_path(client)
    print_parts(f"Report: {page}" if page.exists() else "No report was published yet.")
    print_parts(f"{client}: {status.verdict}, refreshed {status.at}")


def open_(
    client: OneClient,
    audience: Annotated[str, typer.Option(help="analyst or client.")] = "analyst",
) -> None:
    """Open a client's report in the browser."""
    from mmm_assets.pages.publication import Publication

    require_results(client)
    publication = Publication()
    if audience not in ("analyst", "client"):
        refuse("--audience", f"'{audience}'", "analyst or client", "write one of the two")
    page = publication.client_path(client) if audience == "client" else publication.report_path(client)
    if not page.exists():
        option = " --audience client" if audience == "client" else ""
        refuse(
            f"client '{client}'", "no such page", "a published report", f"run: mmm report {client}{option}"
        )
    print_parts(str(page))
    if not webbrowser.open(page.as_uri()):
        print_parts("  There is no browser on this machine: copy the file, it is complete, or run mmm ui.")


def _standing(publication: Publication, client: str, has_file: bool) -> dict[str, Any]:
    """Where a client stands, for people and programs."""
    from datetime import UTC, datetime

    from mmm_assets.storage.io_managers import JsonFiles

    status = publication.status(client)
    plan = JsonFiles().read_or_none("budget_plan", client)
    days = None if status is None else (datetime.now(UTC) - datetime.fromisoformat(status.at)).days
    return {
        "client": client,
        "verdict": status.verdict if status else None,
        "published": bool(status and status.published),
        "has_report": bool(status and status.good_at),
        "reasons": list(status.reasons) if status else [],
        "refreshed": status.at if status else None,
        "days": days,
        "last_row": _last_row(client),
        "plan": None if plan is None else _plan_words(plan),
        "has_file": has_file,
    }


def _under_way() -> set[str]:
    """Clients of which a run executes in this home."""
    folder = home.home_dir()
    if not (folder / "history").is_dir():
        return set()
    from mmm_assets.launching.processes import clients_under_way

    with home.open_instance(folder) as instance:
        return clients_under_way(instance)


def _plan_words(plan: Mapping[str, Any]) -> str:
    if plan.get("refused"):
        return "no advice"
    return "moves money" if plan.get("acts") else "hold"


def _last_row(client: str) -> str | None:
    """Date of the last row of the last refresh."""
    from mmm_assets.storage.io_managers import ClientDataFiles

    rows = ClientDataFiles().read_or_none("client_data", client)
    return None if rows is None else f"{rows.dates[-1]:%Y-%m-%d}"


def _words(row: dict[str, Any]) -> str:
    """The verdict as a person reads it."""
    if row["verdict"] is None:
        from mmm_engine.report.portfolio import FIRST_REFRESH

        return FIRST_REFRESH if row["first_refresh_runs"] else "never refreshed"
    marks = [] if row["published"] else ["report stale" if row["has_report"] else "no report"]
    marks += [] if row["has_file"] else ["no client file"]
    return ", ".join([row["verdict"], *marks])
