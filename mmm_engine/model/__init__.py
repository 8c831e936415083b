"""The marketing-mix model, written once.

Here: specification, parameters, priors, media transforms, time variation, mean,
likelihood, the arrays they take; the same model in PyMC.
Not here: how a posterior is drawn (posterior/), original units (results/).
Imports: `rows`, `compiler`, `distributions` and what lies below them.
"""
