"""The process that opens files of callers reaches nothing else."""

import subprocess
import sys

import pytest

from reporting.documents.verifying import child as verifying_child
from vonggac.children.process import START
from vonggac.testing import eventually
from vonggac.testing.processes import is_filtered

pytestmark = pytest.mark.server


def test_a_file_that_carries_nothing_loads_no_database_and_no_documents() -> None:
    heavy = ("sqlalchemy", "pyarrow", "numpy", "docx", "xlsxwriter", "typst")
    code = f"import sys, {verifying_child.__name__}; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert loaded.stdout.strip() == "[]"


async def test_sandbox_holds_for_the_process_that_verifies() -> None:
    arguments = [sys.executable, "-m", START, verifying_child.__name__, verifying_child.LIMITS.argument]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: ASYNC220
        await eventually(lambda: is_filtered(child.pid), within_s=60)
        child.communicate(bytes(8))
