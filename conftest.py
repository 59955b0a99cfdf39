"""For every test of the repository: fixtures on the real servers, and the tier that a test belongs to."""

import hypothesis

# These packages have the names of the folders that hold their tests: imported first, they are not taken for
# namespace packages when pytest (importlib mode) imports `simulator/tests/…` and `local/tests/…`.
import console  # noqa: F401
import local  # noqa: F401
import simulator  # noqa: F401

pytest_plugins = [
    "vonggac.testing.fixtures", "tests.unit.day", "tests.unit.seconds", "tests.unit.tiers", "tests.unit.shards",
    "tests.unit.hangs",
]  # fmt: skip

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("vonggac", deadline=None)
hypothesis.settings.register_profile("unit", deadline=None, max_examples=15)
hypothesis.settings.load_profile("vonggac")
