"""Agencies and focal points."""
