"""Everything of Dagster that is not promised to stay: an upgrade breaks here and in the tests of this package only.

Here: names imported from `dagster._…`, methods of an instance that its documentation leaves out, tags by their text.
Not here: what Dagster documents (imported as `dg` wherever it is used), any rule of the platform.
Imports: Dagster, and nothing of the code location.
"""
