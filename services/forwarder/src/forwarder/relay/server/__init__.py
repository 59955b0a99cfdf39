"""Serving: a centre connects to this worker and plays its cameras from here."""
