"""A client's rows: checked, dated, cut into windows.

Here: the data contract and its findings, the calendar, windows with scales of their training rows, plans of
media to come.
Not here: what a model makes of rows (model/), how rows get into files (files/).
Imports: `client` and what lies below it.
"""
