"""One self-contained page per client, and one for all: what a model says and how far to trust it.

Here: content (numbers and words), figures (tidy frame -> plotly), rendering (HTML).
Not here: any fit, score or check; they arrive as frames (inputs.py).
Imports: `scores` and `rows` for formulas and types, and what lies below them; never `posterior`, `results`, `fleets`.
"""
