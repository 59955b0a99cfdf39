"""These tests read the syntax trees of every file: one process of a run reads them for all (`--dist loadgroup`)."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.xdist_group("architecture"))
