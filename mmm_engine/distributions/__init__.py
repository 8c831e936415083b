"""Families of probability distributions, one table: what a prior may be.

Here: per family its support, arguments with their ranges, log density, draws, quantiles, typical scale; checking a
prior as it is written.
Not here: which parameter has which prior (model/), maps of the sampler (posterior/bijectors.py).
Imports: `array_types`; formulas take the array functions they run on as an argument.
"""
