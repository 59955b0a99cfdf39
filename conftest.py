"""Fixtures on the real servers for every test of the repository."""

pytest_plugins = ["vonggac.testing.fixtures"]
