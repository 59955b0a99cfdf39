"""Containers unpacked with PyAV, in child processes only."""
