"""Asset checks: the engine's gates, asked of what was materialised.

Here: the checks, the form of an evaluation, the latest evaluation of each check.
Not here: predicates and thresholds (mmm_engine.scores.gates), what follows from a failure (pages/publication.py).
Imports: `storage` and what lies below it.
"""
