"""`python -m tests.deploy [pytest's arguments]` (`make test-deploy`): deployment, tried for real.

Last line: JSON with every figure. Exit status: pytest's.
"""

import os
import sys
from pathlib import Path

import pytest
from tests.deploy.figures import Figures

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests/deploy", "tests/chart")
"""The second is the Helm chart's."""
ALLOWED = "VONGGAC_TEST_DEPLOY"
"""Set here alone: `make test` leaves these tests out."""


def main() -> int:
    """Run them one after the other: each has the machine for itself."""
    os.environ[ALLOWED] = "1"
    os.chdir(ROOT)
    figures = Figures()
    folders = [folder for folder in FOLDERS if (ROOT / folder).is_dir()]
    status = pytest.main(["-n0", "-v", "-rs", "--timeout=1800", *folders, *sys.argv[1:]], plugins=[figures])
    print(figures.line())
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
