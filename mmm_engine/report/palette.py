"""The colours of a page: tokens with a light and a dark form, and which channel has which.

Here: `PALETTE`, a colour as figures write it, the colour of each channel.
Not here: how figures use them (figures/style.py), colours of the page around them (templates/page.css).
"""

from __future__ import annotations

from collections.abc import Iterable

#: Token -> (light, dark). Series colours are Okabe and Ito's, told apart under every common colour blindness;
#: yellow is darkened on white and blue lightened on black for contrast.
PALETTE: dict[str, tuple[str, str]] = {
    "ink": ("#1c2430", "#e6ebf2"),
    "muted": ("#5c6878", "#9fabbb"),
    "grid": ("#e4e8ee", "#2b3442"),
    "paper": ("#ffffff", "#171d26"),
    "blue": ("#0072b2", "#4ea8e0"),
    "orange": ("#e69f00", "#f0b232"),
    "green": ("#009e73", "#2fc396"),
    "vermillion": ("#d55e00", "#f58142"),
    "purple": ("#cc79a7", "#dc93bc"),
    "sky": ("#56b4e9", "#86cbf2"),
    "yellow": ("#b5a300", "#e8dc52"),
    "indigo": ("#3b2a99", "#9c92ec"),
    "wine": ("#882255", "#d7659f"),
    "brown": ("#8a6233", "#c49a63"),
    "forest": ("#1f5f2f", "#79b986"),
    "baseline": ("#c9d1dc", "#3d4959"),
    "trend": ("#b8c2d0", "#4a586b"),
    "seasonality": ("#a5b1c2", "#57667a"),
    "weekday": ("#9aa7ba", "#616f84"),
    "holidays": ("#8e9cb0", "#6c7a90"),
    "control": ("#7d8ba0", "#7889a0"),
    "controls": ("#a9a08f", "#7d7565"),
    "event": ("#5f6d82", "#97a7bc"),
    "other": ("#93a0b0", "#6a7788"),
}
#: Colours of series that are told apart by nothing else.
SERIES = ("blue", "orange", "green", "vermillion", "purple", "sky", "yellow")
#: Colours of channels, largest contribution first: a channel has the same one on the whole page; further ones are grey.
CHANNELS = (*SERIES, "indigo", "wine", "brown", "forest")


def color(token: str, alpha: float = 1.0) -> str:
    """A palette colour as ``rgba(...)``, the one form that the page swaps between light and dark.

    >>> color("blue", 0.2)
    'rgba(0,114,178,0.2)'
    """
    return "rgba({},{},{},{:g})".format(*_channels(PALETTE[token][0]), alpha)


def dark_colors() -> dict[str, str]:
    """Light ``"r,g,b"`` to dark ``"r,g,b"``: what the page needs to redraw a figure for a dark background."""
    return {",".join(map(str, _channels(light))): ",".join(map(str, _channels(dark)))
            for light, dark in PALETTE.values()}  # fmt: skip


def channel_colors(ordered: Iterable[str]) -> dict[str, str]:
    """Palette token of each channel, given largest first; those past the last colour share "other"."""
    names = [str(name) for name in dict.fromkeys(ordered)]
    return {name: CHANNELS[place] if place < len(CHANNELS) else "other" for place, name in enumerate(names)}


def _channels(hex_color: str) -> tuple[int, int, int]:
    return int(hex_color[1:3], 16), int(hex_color[3:5], 16), int(hex_color[5:7], 16)
