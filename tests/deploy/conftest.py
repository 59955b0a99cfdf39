"""Tests of deployment run by `make test-deploy` alone: they take minutes, and the machine for themselves."""

import os

import pytest
from tests.deploy.containers import IMAGES, VERSION, Tool, found, revision

collect_ignore_glob = [] if os.environ.get("VONGGAC_TEST_DEPLOY") else ["test_*.py"]


@pytest.fixture(scope="session")
def tool() -> Tool:
    """The container tool; the test is skipped where there is none."""
    tool, reason = found()
    if tool is None:
        pytest.skip(reason)
    return tool


@pytest.fixture(scope="session")
def images(tool: Tool) -> Tool:
    """The tool, once every image is built; one that is of the present files is left as it is."""
    for service in IMAGES:
        tool.build(service, version=VERSION, revision=revision())
    return tool
