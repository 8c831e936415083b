"""Published pages: reports and the portfolio.

Here: whether a page may be published, what goes into it, the small server that shows it.
Not here: what a page says and how it looks (mmm_engine.report).
Imports: `storage` and what lies below it.
"""
