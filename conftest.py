"""Fixtures on the real servers for every test of the repository."""

# These two packages have the names of the folders that hold their tests: imported first, they are not taken for
# namespace packages when pytest (importlib mode) imports `simulator/tests/…` and `local/tests/…`.
import local  # noqa: F401
import simulator  # noqa: F401

pytest_plugins = ["vonggac.testing.fixtures"]
