"""A report's content as the tests of it read it: its sentences, its tables' heads."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from mmm_engine.report.page import Chart, ReportContent

NBSP = "\N{NO-BREAK SPACE}"


def readings(content: ReportContent) -> dict[str, str]:
    """Reading of every chart and sheet by id."""
    items = (item for section in content.sections for item in section.items)
    return {item.id: item.reading for item in items if hasattr(item, "reading")}


def words(content: ReportContent) -> Any:
    """The report without its frames; of each table the heading and the first two rows."""

    def trim(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: trim(item) for key, item in value.items() if key not in {"frames", "options"}}
            if "rows" in kept and "caption" in kept:
                kept["rows"] = kept["rows"][:2]
            return kept
        if isinstance(value, list | tuple):
            return [trim(item) for item in value]
        return float(f"{value:.6g}") if isinstance(value, float) else value

    chart_free = replace(content, sections=_plain(content.sections))
    return json.loads(json.dumps(trim(asdict(chart_free))))


def _plain(sections: Any) -> Any:
    def bare(item: Any) -> Any:
        return replace(item, frames={}, options={}) if isinstance(item, Chart) else item

    return tuple(replace(section, items=tuple(bare(item) for item in section.items)) for section in sections)
