"""A client's chain of runs, one client or many.

Here: jobs, the chain, batches in a child process, canaries, locks.
Not here: single assets (assets/), when a refresh begins (automation/).
Imports: `pages`, `checks`, `storage` and what lies below them.
"""
