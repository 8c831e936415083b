"""Software-defined assets: what is kept of each client and window.

Here: inputs, fits, fleets, audits, outputs, and how a running fit tells where it stands.
Not here: what any of it means (mmm_engine), whether it is good (checks/), in which runs it is made (refreshes/).
Imports: `pages`, `checks`, `storage` and what lies below them.
"""
