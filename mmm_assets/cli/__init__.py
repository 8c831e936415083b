"""The command `mmm`.

Here: the application (app.py), one command a file, what they share (options, terminal, several clients, stored
results), what they draw (live_fits, tables), how client files are written and tables exported.
Not here: the chain of runs (refreshes/), what values mean (mmm_engine).
Imports: everything else in the code location; what is heavy is imported inside the commands that need it.
"""
