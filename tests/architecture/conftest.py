"""What the tests of the architecture share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def trees() -> Iterator[None]:
    """For a file that reads the house: its trees are never searched for garbage, of which they have none.

    To search them takes longer than to read them, and each later file of the run would do it again at its end.
    """
    gc.disable()
    yield
    gc.enable()
    gc.freeze()
