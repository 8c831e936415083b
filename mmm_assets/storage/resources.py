"""What assets need from outside: client files, sampler settings, the metric history.

Here: resources; each hands out a plain engine object.
Not here: how stored assets are written and read (io_managers.py).
Dagster: https://docs.dagster.io/guides/build/external-resources
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import Field

from mmm_assets import home
from mmm_assets.types import ClientConfig, ClientData, History, SamplerConfig


class ClientFiles(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The folder of client files: ``<client>.yaml`` beside its rows, its plan and its lift tests."""

    data_dir: str = Field(default="", description="Folder of client files; empty: $MMM_DATA_DIR or data/.")

    @property
    def folder(self) -> Path:
        """The folder, absolute."""
        return Path(self.data_dir) if self.data_dir else home.data_dir()

    def read(self, client: str) -> ClientData:
        """Configuration and validated rows of a client.

        Raises:
            ConfigError: If the client's YAML cannot be used.
            DataError: If its rows break the data contract.
        """
        from mmm_engine.model.client_check import read_client_for_model

        return read_client_for_model(client, self.folder)

    def settings(self, client: str) -> ClientConfig:
        """What the client's YAML says now.

        Raises:
            ConfigError: If it cannot be used.
        """
        from mmm_engine.client.client_file import read_client_config
        from mmm_engine.client.config import check_client_id

        return read_client_config(self.folder / f"{check_client_id(client)}.yaml")

    def fingerprint(self, client: str) -> str:
        """What the client's two files and the engine are now: changes when a refresh could give other numbers."""
        from mmm_assets.storage.fingerprints import fingerprint, source_files

        return fingerprint(source_files(client, self.folder))


class SamplerOverrides(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Sampler settings of one run that differ from the client file; None keeps what the file says."""

    draws: int | None = Field(default=None, description="Kept draws per chain.")
    tune: int | None = Field(default=None, description="Tuning steps per chain.")
    chains: int | None = Field(default=None, description="Number of chains.")
    seed: int | None = Field(default=None, description="Seed of the sampler.")

    def apply(self, sampler: SamplerConfig) -> SamplerConfig:
        """The client's settings with the overrides in place, checked again.

        Raises:
            ValidationError: If an override is out of range.
        """
        overrides: dict[str, int | None] = {
            n: value for n, value in self._settings().items() if value is not None
        }
        if self.draws is not None:
            overrides["ess_target"] = None  # who asks for so many draws gets so many
        return type(sampler).model_validate({**sampler.model_dump(), **overrides})

    def _settings(self) -> dict[str, int | None]:
        return {"draws": self.draws, "tune": self.tune, "chains": self.chains, "seed": self.seed}


class MetricHistory(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The DuckDB file in which every score of every refresh is recorded.

    Where results are stored elsewhere than in the home, what is recorded is there too, for all machines; the DuckDB
    file of each machine follows.
    """

    path: str = Field(default="", description="DuckDB file; empty: metric_history.duckdb in the home.")

    def open(self) -> History:
        """The history; connections are opened per call and closed again."""
        from mmm_engine.history.store import History

        return History(Path(self.path)) if self.path else home.open_history()
