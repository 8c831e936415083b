"""What a client's file says, typed and validated.

Here: configuration, thresholds of the checks, lift tests, the depth of audits, reading and writing the YAML.
Not here: rows of data (rows/), what a model does with a setting (model/).
Imports: `files`, `distributions` and what lies below them.
"""
