"""What a posterior says, in original units.

Here: predictions, decomposition, returns, response curves, baseline, forecasts.
Not here: how good any of it is (scores/), pages (report/).
Imports: `posterior` and what lies below it.
"""
