"""`mmm explain`: what a check means, how it is judged, what to do when it fails."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm_assets.cli.options import refuse
from mmm_assets.cli.terminal import print_parts


def explain(
    check: Annotated[
        str | None,
        typer.Argument(metavar="[CHECK]", help="Name of a check; without it: all of them, a line each."),
    ] = None,
) -> None:
    """Say what a check means, how it is judged, and what to do when it fails."""
    from mmm_assets.checks.gates import CHECK_SPECS
    from mmm_engine.client.validation import nearest
    from mmm_engine.scores.advice import ADVICE

    specs = {spec.name: spec for spec in CHECK_SPECS}
    if check is None:
        width = max(map(len, ADVICE))
        print_parts(*[f"{name:<{width}}  {advice.subject}" for name, advice in ADVICE.items()])
        return
    if check not in ADVICE:
        fix = nearest(check, ADVICE) or "'mmm explain' lists them all"
        refuse("check", f"'{check}'", "the name of a check", fix)
    advice = ADVICE[check]
    print_parts(f"{check}: {advice.subject}")
    if check in specs and specs[check].description:
        print_parts(f"  How it is judged: {specs[check].description}")
    print_parts(f"  When it fails: {advice.meaning}", f"  What to do: {advice.remedy}")
    print_parts(
        "  All checks and their limits: docs/scores.md; a client's own limits: 'thresholds' in its file"
    )
