"""The version of the engine, written into everything it stores."""

from __future__ import annotations

from importlib.metadata import version

ENGINE_VERSION = version("mmm-platform")
