"""A refresh that failed is repeated by a click, and goes on to the report; a failed contract is seen where people look.

`make rehearsal` runs this: it starts `mmm ui` with its daemon, which takes a minute.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.report.browser import CHROMIUM, Page, new_browser
from tests.soak.fleet import FAULTS, STRUCTURES, write_client
from tests.workers.demo import process_until_end
from tests.workers.services import free_port, wait_until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
CLIENT, SECOND = "shop", "cafe"
SECONDS = 300.0


class Interface:
    """A running `mmm ui`."""

    def __init__(self, port: int, data: Path) -> None:
        self.address, self.data = f"http://127.0.0.1:{port}", data

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer to a question of its GraphQL interface, which its pages ask too."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def runs(self, status: str = "", **tags: str) -> list[str]:
        """Ids of runs by status, "" for any, and tags, newest first."""
        wanted: dict[str, Any] = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        wanted |= {"statuses": [status]} if status else {}
        query = "query($f: RunsFilter){runsOrError(filter: $f){... on Runs{results{runId}}}}"
        return [run["runId"] for run in self.ask(query, f=wanted)["runsOrError"]["results"]]

    def wait_for_run(self, status: str, **tags: str) -> str:
        """The newest such run, once there is one."""
        wait_until(lambda: bool(self.runs(status, **tags)), f"a run {status} {tags}", SECONDS)
        return self.runs(status, **tags)[0]

    def steps(self, run: str) -> dict[str, str]:
        """How each step of a run ended that was begun."""
        query = "query($r: ID!){runOrError(runId: $r){... on Run{stepStats{stepKey status}}}}"
        stats = self.ask(query, r=run)["runOrError"]["stepStats"]
        return {one["stepKey"]: one["status"] for one in stats}


@pytest.fixture(scope="module")
def interface(tmp_path_factory) -> Iterator[Interface]:
    """`mmm ui` with one client, of whose rows a week is missing."""
    folder = tmp_path_factory.mktemp("interface")
    data, port = folder / "data", free_port()
    data.mkdir()
    write_client(data, CLIENT, STRUCTURES[0], seed=1)
    FAULTS["missing-week"].apply(data, CLIENT)
    environment = {**os.environ, "DAGSTER_HOME": str(folder / "home"), "MMM_DATA_DIR": str(data)}
    command = [sys.executable, "-c", "from mmm_assets.cli.app import main; main()", "ui", "--port", str(port)]
    with process_until_end(command, folder / "ui.log", environment):
        running = Interface(port, data)

        def answers() -> bool:
            try:
                return bool(running.ask("{version}"))
            except OSError:
                return False

        wait_until(answers, "Dagster's interface", SECONDS)
        yield running


@pytest.fixture
def page(interface) -> Iterator[Page]:
    """A browser's tab."""
    with new_browser() as browser, browser.tab() as tab:
        tab.call("Page.enable")
        tab.call(
            "Emulation.setDeviceMetricsOverride", width=1500, height=1000, deviceScaleFactor=1, mobile=False
        )
        yield tab


def go(page: Page, address: str, text: str) -> None:
    """Open a page, anew where it does not say something yet: pages of checks do not always look again."""
    said = f"document.body && document.body.innerText.includes({json.dumps(text)})"
    for _ in range(3):
        page.call("Page.navigate", url=address)
        try:
            return page.wait_for(said, 20)
        except TimeoutError:
            continue
    text_there = page.evaluate("document.body && document.body.innerText")
    raise TimeoutError(f"{address} does not say '{text}', but: {text_there}")


def click_until_repeated(interface: Interface, page: Page, what: str, run: str) -> None:
    """Click a button until a run is repeated: it moves while its page fills, and a click may meet nothing."""
    for _ in range(4):
        click(page, what)
        try:
            wait_until(lambda: bool(interface.runs(**{"dagster/parent_run_id": run})), "a repeated run", 15)
        except TimeoutError:
            continue
        return
    raise TimeoutError(f"run {run} was not repeated: {page.evaluate('document.body.innerText')}")


def click(page: Page, what: str) -> None:
    """Click the element that a JavaScript expression finds, once it is there."""
    page.wait_for(f"!!({what})", 30)
    box = page.evaluate(
        f"(() => {{const b = ({what}).getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]}})()"
    )
    page.mouse("mouseMoved", *box)
    page.mouse("mousePressed", *box, pressed=True)
    page.mouse("mouseReleased", *box, pressed=True)


def choose(page: Page, button: str, entry: str) -> None:
    """Open the menu beside a button and click an entry; what was opened before the page was complete closes again."""
    arrow = f"""(() => {{const all = [...document.querySelectorAll('button')];
        return all[all.findIndex(b => b.innerText.startsWith({json.dumps(button)})) + 1]}})()"""
    item = f"""[...document.querySelectorAll('[role=menu] button:not([disabled])')]
        .find(b => b.innerText.trim() === {json.dumps(entry)})"""
    for _ in range(10):
        click(page, arrow)
        try:
            page.wait_for(f"!!({item})", 5)
            break
        except TimeoutError:
            page.evaluate("document.activeElement.blur()")
    click(page, item)


def test_refused_rows_are_seen_and_the_failed_run_is_repeated_by_a_click(interface, page):
    """Red checks of rows and report; the rows are mended, and "re-execute" leads to the published report."""
    failed = interface.wait_for_run("FAILURE", **{"mmm/client": CLIENT})
    for asset, check in {"client_data": "data_contract", "report": "newest_results"}.items():
        go(
            page,
            f"{interface.address}/assets/{asset}?view=checks&checkDetail={check}",
            "no row for 1 of 60 dates",
        )
        assert "Failed" in page.evaluate("document.body.innerText")

    write_client(interface.data, CLIENT, STRUCTURES[0], seed=1)
    go(page, f"{interface.address}/runs/{failed}", "Re-execute all")
    button = "[...document.querySelectorAll('button')].find(b => b.innerText.startsWith('Re-execute all'))"
    click_until_repeated(interface, page, button, failed)
    repeated = interface.wait_for_run("SUCCESS", **{"dagster/parent_run_id": failed})
    assert repeated != failed

    page_of_client = interface.data.parent / "home" / "storage" / "report" / f"{CLIENT}.html"
    wait_until(page_of_client.is_file, "the report", SECONDS)
    wait_until(lambda: _passed(interface), "the check of the report", SECONDS)
    go(page, f"{interface.address}/assets/report?view=partitions&partition={CLIENT}", "summary")
    page.wait_for("document.body.innerText.includes('weeks hidden')", 30)
    click(
        page,
        "[...document.querySelectorAll('*')].find(e => !e.children.length && e.textContent == '[Show Markdown]')",
    )
    page.wait_for(
        "[...document.images].some(i => i.src.startsWith('data:image/svg') && i.naturalWidth > 0)", 30
    )


def test_a_run_is_repeated_from_the_step_that_failed(interface, page):
    """The page cannot be written once. "From failure" writes it; the history before it is not recorded again."""
    page_of_client = interface.data.parent / "home" / "storage" / "report" / f"{SECOND}.html"
    page_of_client.mkdir(parents=True)  # a folder stands where the page belongs
    write_client(interface.data, SECOND, STRUCTURES[0], seed=2)
    failed = interface.wait_for_run("FAILURE", **{"mmm/client": SECOND})
    assert {name: interface.steps(failed)[name] for name in ("metric_history", "report")} == {
        "metric_history": "SUCCESS",
        "report": "FAILURE",
    }
    page_of_client.rmdir()

    go(page, f"{interface.address}/runs/{failed}", "Re-execute all")
    choose(page, "Re-execute all", "From failure")
    repeated = interface.wait_for_run("SUCCESS", **{"dagster/parent_run_id": failed})
    assert interface.steps(repeated)["report"] == "SUCCESS"
    assert "metric_history" not in interface.steps(repeated)
    assert page_of_client.is_file()


def _passed(interface: Interface) -> bool:
    query = """{assetNodes(assetKeys: [{path: ["report"]}]){assetChecksOrError{... on AssetChecks{checks{
        name executionForLatestMaterialization{status}}}}}}"""
    (node,) = interface.ask(query)["assetNodes"]
    checks = {
        one["name"]: one["executionForLatestMaterialization"] for one in node["assetChecksOrError"]["checks"]
    }
    return (checks["newest_results"] or {}).get("status") == "SUCCEEDED"
