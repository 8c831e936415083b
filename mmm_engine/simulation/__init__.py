"""Clients whose truth is known.

Here: recipes, simulated media, whole clients with their truth files, in plain numpy.
Not here: the model: a fault shared with it would cancel itself out (a test holds this wing to that).
Imports: `rows` and what lies below it, never `model`.
"""
