"""The runs of a refresh, and the chain of them that a command walks.

Here: jobs, the chain, its lock.
Not here: single assets (assets/), refreshes that Dagster runs (automation/, assets/conditions.py).
Imports: `pages`, `storage` and what lies below them; assets and definitions are known by name only.
"""
