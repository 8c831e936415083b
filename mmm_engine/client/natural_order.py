"""The order in which people look for names.

Here: `natural_order`, for lists of clients, files and windows that people read.
Not here: the order of channels and controls (that of the client file).
"""

from __future__ import annotations

import re

NaturalOrder = tuple[tuple[str | int, ...], str]


def natural_order(name: str) -> NaturalOrder:
    """What names are sorted by so that numbers in them count as numbers: 2 before 10.

    Capital letters count as small ones; names that differ in nothing else keep one order.

    >>> sorted(["toy10", "shop", "toy2", "toy02b", "Toy1"], key=natural_order)
    ['shop', 'Toy1', 'toy2', 'toy02b', 'toy10']
    """
    # the split begins with text, so that text is compared with text and number with number
    parts = re.split("([0-9]+)", name.lower())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name
