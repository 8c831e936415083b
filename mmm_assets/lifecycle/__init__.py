"""The life of a client and of a home beyond refreshes.

Here: what is stored of a client and its removal (removal.py), another id (renaming.py), copies of a home (backup.py).
Not here: refreshes (refreshes/), the words of commands (cli/).
"""
