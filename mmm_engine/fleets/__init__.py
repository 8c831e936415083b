"""Fleets: one kind of evaluation each, run on one client."""
