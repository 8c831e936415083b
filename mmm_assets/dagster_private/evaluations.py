"""What evaluations of automation came to, packed.

Here: the column that holds it.
Not here: how long it is kept (automation/retention.py).

Dagster keeps, for its pages, what each condition of an asset came to when that changes: 25 kB of JSON an asset, for a
client that is refreshed alone the largest part of what it writes. Nothing but these pages reads it, and it is
forgotten after hours. One of Dagster's own storages, in the place of the platform's, shows an error there until then.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from dagster._core.storage.schedules.schema import AssetDaemonAssetEvaluationsTable
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_MARK = "z:"  # JSON begins otherwise


class _Packed(TypeDecorator[str]):
    """Text that is compressed in the database; what lies there as it is, is read as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Text as it is stored."""
        if value is None:
            return None
        return _MARK + base64.b85encode(zlib.compress(value.encode())).decode("ascii")

    def process_result_value(self, value: Any, dialect: Any) -> str | None:
        """Text as it was given."""
        if value is None or not value.startswith(_MARK):
            return value  # type: ignore[no-any-return]
        return zlib.decompress(base64.b85decode(value.removeprefix(_MARK))).decode()


def pack_evaluations() -> None:
    """In this process, what evaluations came to is stored packed."""
    column = AssetDaemonAssetEvaluationsTable.c.asset_evaluation_body
    packed: TypeEngine[str] = _Packed()
    column.type = packed
