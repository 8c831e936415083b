"""From a posterior to a budget: what a plan brings, which plan brings most, how sure that is.

Here: the response of a plan, the optimiser with its certificate, frontier, scenarios, what a test would be worth, what
came of earlier advice.
Not here: what media brought in the past (results/), scores and gates (scores/), pages (report/).
Imports: `results`, `scores` and what lies below them.
"""
