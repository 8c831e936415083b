"""`mmm simulate`: a client whose truth is known."""

from __future__ import annotations

from typing import Annotated

import typer

from mmm_assets import home
from mmm_assets.cli.options import OneClient, Replace
from mmm_assets.cli.terminal import print_parts


def simulate(
    client: OneClient,
    weeks: Annotated[int | None, typer.Option(help="Number of rows; 161 when left out.")] = None,
    channels: Annotated[int | None, typer.Option(help="Number of channels; 4 when left out.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the truth and the noise; 1 when left out.")
    ] = None,
    trend: Annotated[float, typer.Option(help="What the baseline gains, as a share of the target.")] = 0.0,
    events: Annotated[bool, typer.Option("--events", help="A sale every November, a launch.")] = False,
    lift_tests: Annotated[int, typer.Option(help="Experiments with each channel.")] = 0,
    force: Replace = False,
) -> None:
    """Write a client whose truth is known, with its truth beside it."""
    from mmm_assets.cli.new_clients import simulate_into

    written = simulate_into(
        client,
        home.data_dir_to_write(),
        periods=weeks,
        channels=channels,
        seed=seed,
        trend=trend,
        events=events,
        lift_tests=lift_tests,
        force=force,
    )
    print_parts(f"{client}: simulated; {written}")
