"""How assets are stored: Parquet, NetCDF, HTML and JSON, one file per partition, never pickle.

Here: the layout ``<root>/storage/<asset>/<client>[/<window>].<ext>``, typed writes and reads.
Not here: what the values mean (mmm_engine), folders and object stores (objects.py), what was read a moment ago
(recent_reads.py), the metric history (resources.py).
Dagster: https://docs.dagster.io/guides/build/io-managers

A run may hold several windows of a client, so values of client × window assets travel as a mapping
from partition key to value, in such runs and in runs of a single partition alike.
"""

from __future__ import annotations

import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
from pydantic import Field

from mmm_assets import home
from mmm_assets.partitions import DELIMITER, in_order, split_key
from mmm_assets.storage import objects
from mmm_assets.storage.recent_reads import RecentReads
from mmm_assets.types import ClientData, DataFrame, DataTree, ScaledInputs
from mmm_engine.client.config import check_client_id

# Metadata of an asset input: load a mapping from partition key to value even when there is one partition.
BY_PARTITION = {"mmm/by_partition": True}

ROOT = "Root of what is stored, a folder or an address; empty: $MMM_STORAGE, without it Dagster's home."

logger = logging.getLogger(__name__)
_recent = RecentReads()
_METADATA_KEY = b"mmm"  # of a Parquet schema: what the columns cannot hold


class StoredFileError(Exception):
    """A stored file that is missing or cannot be read."""


class PartitionFiles(dg.ConfigurableIOManager, ABC):
    """One file per partition of an asset; subclasses know one format."""

    root: str = Field(default="", description=ROOT)
    extension: ClassVar[str]
    kept: ClassVar[bool] = False  # whether readers may share what was read a moment ago (recent_reads.py)

    def path(self, asset: str, partition: str | None = None) -> Path:
        """Where a partition is stored; the only place in which a key becomes a path.

        Raises:
            ConfigError: If the client id in the key is not allowed (``..``, ``/``, upper case, ...).
            ValueError: If the window in the key is unknown.
        """
        check_client_id(asset)
        base = home.storage_dir(self._root()) / asset
        if partition is None:
            return base / f"{asset}.{self.extension}"
        if DELIMITER in partition:
            client, window = split_key(partition)
            return base / client / f"{window.name}.{self.extension}"
        return base / f"{check_client_id(partition)}.{self.extension}"

    def has(self, asset: str, partition: str | None = None) -> bool:
        """Whether the partition was ever stored."""
        return self.path(asset, partition).is_file()

    def write(self, asset: str, partition: str | None, value: Any) -> Path:
        """Store a value; readers see the old file or the new one, never a part of it."""
        path = self.path(asset, partition)
        self._replace(path, value)
        return path

    def read(self, asset: str, partition: str | None = None) -> Any:
        """The stored value.

        Raises:
            StoredFileError: If there is no such file or its content cannot be read.
        """
        path = self.path(asset, partition)
        again = f"materialise '{asset}'" + (f" of {partition}" if partition else "") + " again"
        if not path.is_file():
            raise StoredFileError(f"{path}: nothing stored yet; {again}")
        try:
            if self.kept and objects.is_local(path):
                return _recent.read(path, type(self).__name__, self._load)
            with objects.local_copy(path) as file:
                return self._load(file)
        except Exception as error:
            reason = f"{path}: cannot be read ({type(error).__name__}: {error})"
            if is_damage(error):
                reason += f", moved to {quarantine(path, self._root())}"
            raise StoredFileError(f"{reason}; {again}") from error

    def read_or_none(self, asset: str, partition: str | None = None) -> Any:
        """The stored value; None when there is none, or when it was damaged and is in the quarantine now."""
        try:
            return self.read(asset, partition) if self.has(asset, partition) else None
        except StoredFileError as error:
            logger.warning("%s", error)
            return None

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Store every partition of the step; nothing is written unless all of them are there."""
        asset = context.asset_key.path[-1]
        values = self._by_partition(context, obj)
        paths = [self.write(asset, key, value) for key, value in values.items()]
        if len(paths) == 1:
            (value,) = values.values()
            context.add_output_metadata({"path": dg.MetadataValue.path(str(paths[0])), **self._facts(value)})
        else:  # metadata per partition costs three queries each, and the folder says as much
            context.add_output_metadata({"folder": dg.MetadataValue.path(str(paths[0].parent))})

    def load_input(self, context: dg.InputContext) -> Any:
        """The stored value, or a mapping from partition key to value (see the module's docstring)."""
        asset = context.asset_key.path[-1]
        if not context.has_asset_partitions:
            return self.read(asset)
        keys = in_order(context.asset_partition_keys)
        if any(DELIMITER in key for key in keys) or (context.definition_metadata or {}).get(
            "mmm/by_partition"
        ):
            return {key: self.read(asset, key) for key in keys}
        if len(keys) != 1:
            raise StoredFileError(f"asset '{asset}': found {len(keys)} partitions; wanted one a run")
        return self.read(asset, keys[0])

    def _root(self) -> Path:
        return home.root_at(self.root) if self.root else home.results_root()

    @abstractmethod
    def _dump(self, value: Any, path: Path) -> None:
        """Write the value to a file that nobody reads yet."""

    @abstractmethod
    def _load(self, path: Path) -> Any:
        """Read what `_dump` wrote."""

    def _replace(self, path: Path, value: Any) -> None:
        objects.put(path, lambda whole: self._dump(value, whole))

    def _facts(self, value: Any) -> dict[str, Any]:
        """Metadata of one stored value."""
        return {}

    def _by_partition(self, context: dg.OutputContext, obj: Any) -> dict[str | None, Any]:
        """The values of a step by partition key."""
        if not context.has_asset_partitions:
            return {None: obj}
        keys = [str(key) for key in context.asset_partition_keys]
        if not any(DELIMITER in key for key in keys):
            if len(keys) != 1:
                raise StoredFileError(f"asset '{context.name}': found {len(keys)} clients; wanted one a run")
            return {keys[0]: obj}
        values = {str(key): value for key, value in obj.items()} if isinstance(obj, Mapping) else {}
        if set(values) != set(keys):
            missing = ", ".join(sorted(set(keys) - set(values))) or "none"
            extra = ", ".join(sorted(set(values) - set(keys))) or "none"
            raise StoredFileError(
                f"asset '{context.name}': values missing for {missing}; unasked for: {extra}"
            )
        return {key: values[key] for key in in_order(keys)}


class JsonFiles(PartitionFiles):
    """Plain values; also the default, so that no asset ever falls back to pickle."""

    extension = "json"

    def _dump(self, value: Any, path: Path) -> None:
        path.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")

    def _load(self, path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))


class HtmlFiles(PartitionFiles):
    """Pages."""

    extension = "html"

    def _dump(self, value: str, path: Path) -> None:
        path.write_text(value, encoding="utf-8")

    def _load(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")

    def _facts(self, value: str) -> dict[str, Any]:
        return {"size_mb": round(len(value.encode()) / 1e6, 3)}


class FrameFiles(PartitionFiles):
    """Tidy frames as Parquet; ``frame.attrs`` (which refresh a frame belongs to) is kept."""

    extension = "parquet"
    kept = True

    def _dump(self, value: DataFrame, path: Path) -> None:
        write_frame(value, path, {"attrs": value.attrs})

    def _load(self, path: Path) -> DataFrame:
        frame, rest = read_frame(path)
        frame.attrs.update(rest["attrs"])
        return frame

    def _facts(self, value: DataFrame) -> dict[str, Any]:
        return {"dagster/row_count": len(value)}


class ClientDataFiles(PartitionFiles):
    """Validated rows as Parquet; findings, settings and versions in the schema's metadata."""

    extension = "parquet"
    kept = True

    def _dump(self, value: ClientData, path: Path) -> None:
        from dataclasses import asdict

        rest = {
            "config": value.config.model_dump(mode="json"),
            "config_version": value.config.config_version,
            "data_version": value.data_version,
            "period": value.period,
            "findings": [asdict(finding) for finding in value.findings],
        }
        write_frame(value.frame, path, rest)

    def _load(self, path: Path) -> ClientData:
        from mmm_engine.client.config import ClientConfig
        from mmm_engine.rows.calendar import Calendar
        from mmm_engine.rows.client_data import ClientData
        from mmm_engine.rows.finding import Finding

        frame, rest = read_frame(path)
        return ClientData(
            config=ClientConfig.from_record(rest["config"]),
            frame=frame,
            calendar=Calendar(frame["date"].to_numpy(), rest["period"]),
            findings=tuple(Finding(**finding) for finding in rest["findings"]),
            data_version=rest["data_version"],
        )

    def _facts(self, value: ClientData) -> dict[str, Any]:
        return {"dagster/row_count": len(value.frame)}


class ScaledInputsFiles(PartitionFiles):
    """One window in model space as Parquet, with its scales beside it as JSON for people.

    The Parquet file holds the same record too and alone is read back: two files cannot be replaced in one step.
    """

    extension = "parquet"
    kept = True

    def _dump(self, value: ScaledInputs, path: Path) -> None:
        write_frame(value.frame(), path, value.record())

    def _load(self, path: Path) -> ScaledInputs:
        from mmm_engine.rows.window import ScaledInputs

        frame, record = read_frame(path)
        if "scales_json" in record:  # files of earlier versions keep the record as text
            record = json.loads(record["scales_json"])
        return ScaledInputs.from_record(frame, record)

    def _replace(self, path: Path, value: ScaledInputs) -> None:
        super()._replace(path, value)
        text = json.dumps(value.record(), indent=1)
        objects.put_text(path.with_suffix(".json"), text)

    def _facts(self, value: ScaledInputs) -> dict[str, Any]:
        return {"dagster/row_count": len(value.dates)}


class PosteriorFiles(PartitionFiles):
    """Posterior and sampler statistics as NetCDF, which ArviZ and PyMC users can open anywhere."""

    extension = "nc"
    kept = True

    def _dump(self, value: DataTree, path: Path) -> None:
        # counts alone: draws would lose 3% of their size for half the time
        compressed = {"zlib": True, "complevel": 1}
        encoding = {
            node.path: {
                str(name): compressed for name, array in node.data_vars.items() if array.dtype.kind in "iu"
            }
            for node in value.subtree
        }
        value.to_netcdf(str(path), engine="h5netcdf", encoding=encoding)

    def _replace(self, path: Path, value: DataTree) -> None:
        inode = 0

        def dump(whole: Path) -> None:
            nonlocal inode
            self._dump(value, whole)
            inode = whole.stat().st_ino

        objects.put(path, dump)
        if objects.is_local(path):  # the next asset wants it at once, and reading takes as long as writing
            _recent.written(path, type(self).__name__, value, inode)

    def _load(self, path: Path) -> DataTree:
        import xarray as xr

        with xr.open_datatree(str(path), engine="h5netcdf") as tree:
            return tree.load()


def is_damage(error: Exception) -> bool:
    """Whether a file could not be read for what is in it, not for a system that is short of memory or rights."""
    return not isinstance(error, MemoryError | ImportError) and getattr(error, "errno", None) is None


def quarantine(path: Path, root: Path) -> Path:
    """Move a damaged file out of the way, for people to look at; where it is then.

    Args:
        path: The file, below ``root``.
        root: Root of what is stored; the file keeps its place below ``root/quarantine``, with the time behind its name.
    """
    place = root / "quarantine" / path.relative_to(root)
    place = place.with_name(f"{place.name}.{time.time_ns()}")
    objects.move(path, place)
    return place


def write_frame(frame: DataFrame, path: Path, rest: dict[str, Any]) -> None:
    """Write a frame as Parquet with ``rest`` as JSON in the metadata of its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA_KEY: json.dumps(rest).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, write_page_checksum=True)


def read_frame(path: Path) -> tuple[DataFrame, dict[str, Any]]:
    """A frame and the rest that `write_frame` stored."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, page_checksum_verification=True)
    rest = json.loads(table.schema.metadata[_METADATA_KEY])
    return table.to_pandas(), rest
