"""What a page carries inside itself: plotly, styles, scripts, and the policy that lets nothing else in.

Here: reading shipped files, packing, hashes, data for script elements.
Not here: what a page says, which template it uses (render.py, portfolio.py).

plotly.js is packed (gzip, base64) and unpacked by the browser: 2 MB a report instead of 5, which counts at
thousands of clients. The content security policy names the hash of every script the page may run and no origin
at all, so a page cannot make a request, and a name that slipped through escaping could still not run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmm_engine.scores.verdict import Verdict


@dataclass(frozen=True)
class Library:
    """plotly.js as it travels in a page."""

    packed: str
    version: str
    script_hash: str


@lru_cache(maxsize=1)
def plotly_library() -> Library:
    """plotly.js from the installed plotly package; packing is deterministic."""
    source = resources.files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    found = re.search(r"plotly\.js v([\w.\-]+)", source[:400])
    packed = gzip.compress(source.encode(), compresslevel=9, mtime=0)
    return Library(base64.b64encode(packed).decode("ascii"), found[1] if found else "", script_hash(source))


@lru_cache(maxsize=8)
def template_text(*names: str) -> str:
    """Shipped style sheets or scripts, joined."""
    folder = resources.files("mmm_engine.report").joinpath("templates")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8").strip() for name in names)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Jinja with autoescape everywhere and no silent gaps."""
    return Environment(
        loader=PackageLoader("mmm_engine.report", "templates"), autoescape=True, undefined=StrictUndefined
    )


def script_hash(source: str) -> str:
    """The source of a content security policy that allows exactly this inline script.

    >>> script_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def security_policy(*script_hashes: str) -> str:
    """A policy that allows these scripts, inline styles, pictures made in the page, and nothing from outside."""
    return (
        f"default-src 'none'; script-src {' '.join(script_hashes)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def script_json(value: object) -> str:
    r"""JSON that can stand inside a script element: nothing in it can close the element.

    >>> script_json({"name": "</script><b>"})
    '{"name":"\\u003c/script\\u003e\\u003cb\\u003e"}'
    """
    return escape_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


def escape_json(text: str) -> str:
    """JSON text with the characters that HTML or old JavaScript could misread written as escapes."""
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return re.sub("[<>&\u2028\u2029]", lambda match: escapes[match[0]], text)


def check_report(html: str) -> Verdict:
    """The report is one self-contained page: complete, and it loads nothing from elsewhere."""
    faults = []
    if "</html>" not in html[-200:].lower():
        faults.append("the page is cut off")
    loads = [mark for mark in _LOADS if mark in html]
    if loads:
        faults.append(f"it loads from elsewhere ({', '.join(loads)})")
    size = len(html.encode()) / 1e6
    if size > _REPORT_MEGABYTES:
        faults.append(f"it has {size:.1f} MB, wanted at most {_REPORT_MEGABYTES}")
    reason = "; ".join(faults) or f"one page of {size:.1f} MB that loads nothing from elsewhere"
    return Verdict("report_self_contained", not faults, "error", False, reason, {"megabytes": size})


_LOADS = ('src="http', "src='http", 'href="http', "@import", "url(http")


_REPORT_MEGABYTES = 6.0
