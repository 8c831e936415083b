"""The last published refresh of every client: what the next one is compared with.

Here: keeping its rows, settings, returns and library versions; reading them back.
Not here: the comparison (mmm_engine.fleets.refresh_diff), pages (pages/publication.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from mmm_assets.storage.io_managers import ROOT, ClientDataFiles, FrameFiles
from mmm_assets.storage.results import ClientResults, versions_of
from mmm_assets.types import ClientData
from mmm_engine.client.windows import FULL
from mmm_engine.version import ENGINE_VERSION

if TYPE_CHECKING:
    from mmm_engine.fleets.refresh_diff import PublishedState

ROWS = "client_data"  # the asset
DATA, RETURNS = "published_data", "published_returns"  # folders below storage/, beside those of the assets
LIBRARIES = ("llvmlite", "nutpie", "numpy")  # what can change a fit


class PublishedStates(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Rows, settings and returns of the last refresh of each client that was published."""

    root: str = Field(default="", description=ROOT)

    def keep(self, results: ClientResults) -> None:
        """Put the present results in the place of the last published ones."""
        state, client = state_of(results), results.data.config.client
        returns = state.returns.copy()
        returns.attrs = {"versions": dict(state.versions), "ess": state.ess}
        returns.attrs.update(versions_of(state.data))
        ClientDataFiles(root=self.root).write(DATA, client, state.data)
        FrameFiles(root=self.root).write(RETURNS, client, returns)

    def read(self, client: str) -> PublishedState | None:
        """The last published refresh, None when there was none or its files do not belong together."""
        from mmm_engine.fleets.refresh_diff import PublishedState

        rows, frames = ClientDataFiles(root=self.root), FrameFiles(root=self.root)
        if not (rows.has(DATA, client) and frames.has(RETURNS, client)):
            return None
        data, returns = rows.read(DATA, client), frames.read(RETURNS, client)
        stored_with = returns.attrs
        if not versions_of(data).items() <= stored_with.items():
            return None  # a crash came between the two files
        return PublishedState(data, returns, stored_with["versions"], float(stored_with["ess"]))


def accepted_rows(root: str, client: str) -> ClientData | None:
    """The rows of a client that were stored last, None where there are none that can be read.

    Args:
        root: Dagster's home; empty: $DAGSTER_HOME or dagster_home/.
        client: Whose.
    """
    rows: ClientData | None = ClientDataFiles(root=root).read_or_none(ROWS, client)
    return rows


def state_of(results: ClientResults) -> PublishedState:
    """The present results of a client in the form that is kept."""
    from mmm_engine.fleets.refresh_diff import PublishedState

    full = results.windows[FULL]
    ess = full.metrics.loc[full.metrics["metric"] == "ess_bulk_min", "value"]
    return PublishedState(results.data, full.returns, _versions(), float(ess.iloc[0]) if len(ess) else 1.0)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"mmm_engine": ENGINE_VERSION, **{name: version(name) for name in LIBRARIES}}
