"""Frozen reports over HTTP: freezing, approving and further versions; files; verifying."""
