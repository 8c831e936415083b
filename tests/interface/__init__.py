"""Dagster's web interface with the platform behind it, used as a person does, in a browser."""
