"""Names and lists as words: plurals, enumerations, and names made safe to put into a sentence.

Here: counts with their nouns, lists, labels of columns, windows and comparisons in words.
Not here: how a quantity is written (numbers.py), HTML escaping (render.py's autoescape).

Every name that a client file can choose goes through ``display_name`` before it meets a sentence: control
characters go, right-to-left text is isolated so that it cannot reorder its neighbours, and length is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from mmm_engine.report import numbers

_ISOLATE, _POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_MONEY_SUFFIX = re.compile(r"_(cost|spend|spending)$", re.IGNORECASE)


def count(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    >>> count(1, "week"), count(8, "week"), count(2, "series", "series")
    ('1 week', '8 weeks', '2 series')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share_of(part: int, whole: int) -> str:
    """How many of how many, in words where that is shorter.

    >>> share_of(3, 3), share_of(0, 3), share_of(2, 3)
    ('all 3', 'none of 3', '2 of 3')
    """
    return f"all {whole}" if part == whole else f"none of {whole}" if part == 0 else f"{part} of {whole}"


def listing(items: Sequence[str], limit: int = 4) -> str:
    """Items as an English list, the rest counted.

    >>> listing(["a", "b", "c"]), listing(["a", "b", "c", "d"], limit=2)
    ('a, b and c', 'a, b and 2 more')
    """
    shown = list(items[:limit])
    if len(items) > limit:
        shown.append(f"{len(items) - limit} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}" if shown else "none"


def of_several(text: str) -> str:
    """Words on one thing as words on each of several.

    >>> of_several("the rows tell too little of its effect: it could be smaller")
    'the rows tell too little of their effects: each could be smaller'
    """
    plural = text.replace("its effect", "their effects").replace("its ", "their ")
    return re.sub(r"\bit could\b", "each could", plural)


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop.

    >>> sentence("the naive forecast wins")
    'The naive forecast wins.'
    """
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def display_name(name: str, limit: int = 48) -> str:
    """A column or client name as a reader sees it: bounded, on one line, unable to reorder its neighbours.

    Snake-case names lose their underscores and the suffix that only says "money"; all others stay as they are.

    >>> display_name("google_ads_search_men_cost")
    'google ads search men'
    >>> display_name("x" * 60)[-4:], len(display_name("x" * 60))
    ('xxx…', 48)
    """
    return safe_text(_readable(name), limit)


def display_names(names: Iterable[str], limit: int = 48) -> dict[str, str]:
    """Every name with a label that no other name has.

    >>> display_names(["tv_cost", "tv_spend", "radio_cost"])
    {'tv_cost': 'tv_cost', 'tv_spend': 'tv_spend', 'radio_cost': 'radio'}
    >>> list(display_names(["search_campaign_men", "search_campaign_women"], limit=12).values())
    ['search…n_men', 'search…women']
    """
    unique = list(dict.fromkeys(names))
    labels = {name: display_name(name, limit) for name in unique}
    crowded = {label for label in labels.values() if list(labels.values()).count(label) > 1}
    taken = set(labels.values()) - crowded
    for name in unique:
        if labels[name] in crowded:
            labels[name] = _first_free(_ends(name, limit), taken)
            taken.add(labels[name])
    return labels


def safe_text(text: str, limit: int = 2000) -> str:
    """Text on one line, without control characters, bounded, isolated when parts of it run right to left."""
    clean = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    clean = clean.replace(_ISOLATE, "").replace(_POP, "").strip() or "(no name)"
    if len(clean) > limit:
        clean = clean[: limit - 1].rstrip() + "…"
    if any(
        unicodedata.bidirectional(c) in {"R", "AL", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI"} for c in clean
    ):
        return f"{_ISOLATE}{clean}{_POP}"
    return clean


def is_isolated(text: str) -> bool:
    """Whether ``safe_text`` wrapped the text in directional isolates."""
    return text.startswith(_ISOLATE)


def comparison_words(split: str) -> str:
    """What a stability score compares, in words.

    >>> comparison_words("windows"), comparison_words("h04")
    ('between windows', 'against h04')
    """
    known = {
        "windows": "between windows",
        "refresh": "since the last refresh",
        "seeds": "between seeds",
        "perturbation": "with 5% noise on spend",
        "placebo": "beside a placebo channel",
    }
    return known.get(split) or f"against {safe_text(split, 40)}"


def headed(label: str, unit: str) -> str:
    """A column heading with its unit, when it has one.

    >>> headed("Spend", "EUR"), headed("Spend", "")
    ('Spend (€)', 'Spend')
    """
    return f"{label} ({numbers.sign(unit)})" if unit else label


def _ends(name: str, limit: int) -> str:
    """A name by its start and its end: what tells apart names that begin alike."""
    text = safe_text(name)
    if len(text) <= limit or is_isolated(text):
        return safe_text(name, limit)
    return f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"


def _first_free(label: str, taken: set[str]) -> str:
    candidates = (f"{label} ({number})" for number in range(2, 10_000))
    return label if label not in taken else next(c for c in candidates if c not in taken)


def _readable(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        return name
    return _MONEY_SUFFIX.sub("", name).replace("_", " ")
