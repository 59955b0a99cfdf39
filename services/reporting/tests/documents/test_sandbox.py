"""The process that opens files of callers reaches nothing else."""

import subprocess
import sys

import pytest

from reporting.documents import verifying_child
from vonggac.children.process import START
from vonggac.testing import eventually
from vonggac.testing.processes import is_filtered

pytestmark = pytest.mark.server


async def test_sandbox_holds_for_the_process_that_verifies() -> None:
    arguments = [sys.executable, "-m", START, verifying_child.__name__, verifying_child.LIMITS.argument]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: ASYNC220
        await eventually(lambda: is_filtered(child.pid), within_s=60)
        child.communicate(bytes(8))
