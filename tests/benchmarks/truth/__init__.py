"""Do intervals of returns hold the truth? A study on clients whose truth is known.

Here: `worlds` (simulated clients, independent of the engine's model and simulator), `clients` (the settings a careful
user would choose), `schemes` (candidates for priors and forms), `fits`, `scoring`, `tables`, and `study`, the command.
Not here: recovery within the model's own assumptions (`tests.benchmarks.recovery_coverage`).

Imports go one way: media, recipes, baseline, worlds, stored, clients, schemes, fits, scoring, tables, study.

    make truth ARGS="--worlds 40 --schemes toolkit,spend_share"
"""
