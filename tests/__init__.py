"""Tests: engine and Dagster layer."""
