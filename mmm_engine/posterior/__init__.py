"""From a model and a window to draws.

Here: the sampler's coordinates, the compiled log density, NUTS, diagnostics, and `FittedWindow`,
what all results are read from.
Not here: what the draws mean in original units (results/).
Imports: `model` and what lies below it.
"""
