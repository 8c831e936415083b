"""What stands in files, before anybody knows what it means.

Here: YAML documents with the place of every value, tables, numbers and dates in the forms people write, the data
folder, files written whole or not at all.
Not here: clients, models, rules about values (client/, rows/).
Imports: `errors` and `array_types`.
"""
