"""Availability: figures per group and stretch of time, their targets, and what came late for them."""
