"""The command `mmm`.

Here: one command a file, what they print, how client files are written and tables exported.
Not here: the chain of runs (refreshes/); heavy imports stand inside the commands that need them.
Imports: everything else in the code location.
"""
