"""Shared by tests of several services: fixtures on the real servers, and waiting for facts instead of sleeping.

A conftest.py gets the fixtures by `pytest_plugins = ["vonggac.testing.fixtures"]` (at the repository's root).
"""

from vonggac.testing.waiting import eventually

__all__ = ["eventually"]
