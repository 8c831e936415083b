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
    from mmm_engine.client.validation import nearest
    from mmm_engine.scores.advice import ADVICE

    if check is None:
        width = max(map(len, ADVICE))
        print_parts(*[f"{name:<{width}}  {advice.subject}" for name, advice in ADVICE.items()])
        return
    if check not in ADVICE:
        fix = nearest(check, ADVICE) or "'mmm explain' lists them all"
        refuse("check", f"'{check}'", "the name of a check", fix)
    (name, subject), *rows = explanation(check)
    print_parts(f"{name}: {subject}", *(f"  {label} {text}" for label, text in rows))
    print_parts(
        "  All checks and their limits: docs/scores.md; a client's own limits: 'thresholds' in its file"
    )


def explanation(check: str) -> list[tuple[str, str]]:
    """What there is to say of a check: its name with its subject, then labels with a sentence or two each."""
    from mmm_assets.checks.gates import CHECK_SPECS
    from mmm_engine.scores.advice import ADVICE

    judged = [spec.description for spec in CHECK_SPECS if spec.name == check and spec.description]
    advice = ADVICE[check]
    return [
        (check, advice.subject),
        *(("How it is judged:", description) for description in judged[:1]),
        ("When it fails:", advice.meaning),
        ("What to do:", advice.remedy),
    ]
