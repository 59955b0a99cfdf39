"""`python -m tests.unit [pytest's arguments]` (`make test-unit`): the unit tests."""

import sys

from tests.unit.parts import main

sys.exit(main(sys.argv[1:]))
