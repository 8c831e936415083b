"""The parts of a report: each module turns a subject into sections of numbers and words.

Here: readings, tables and the frames behind charts, one module per question a reader has.
Not here: their order and audience (report/content.py), the first screen (report/headline.py).
Imports: `report/subject.py`, `report/page.py`, `report/wording.py` and formulas of `scores`.
"""
