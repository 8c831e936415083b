"""Where values are kept.

Here: IO managers, resources, stored results read back, fingerprints of inputs, Dagster's SQLite files.
Not here: what the values mean (mmm_engine), whether they may be shown (pages/publication.py).
Imports: `verdicts`, `partitions`, `home` and the other modules of the ground floor.
"""
