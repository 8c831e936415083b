"""How a run that somebody has asked for gets to a process: the queue, the launchers, who is still alive.

Here: classes that a dagster.yaml names, one launcher for each size of installation.
Not here: who asks for runs (automation/, cli/), what a run does (assets/).
Imports: `home`, `runs` and what lies below them.
"""
