"""What was measured, kept.

Here: tables of the metric history, their Parquet files, the forecast ledger, the DuckDB store over them.
Not here: what the numbers mean (scores/), pages (report/).
Imports: `client` and what lies below it.
"""
