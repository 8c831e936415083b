"""A client's chain of runs, one client or many.

Here: jobs, the chain, batches in a child process, canaries, locks.
Not here: single assets (assets/), when a refresh begins (automation/), what the child does with an item (worker.py).
Imports: `pages`, `storage` and what lies below them; assets and definitions are known by name only.
"""
