"""`python -m tests.unit.guard` (`make guard-of-tests`): each fault on record turns its test red.

Before tests are cut or merged, and after: what a cut no longer catches comes back. `-n 4`: runs side by side.
`-k ledger` chooses faults whose line has that text. `--anew` repeats what an earlier run of the same tree found red;
otherwise a run that was stopped goes on where it was. `--find COMMIT` names the unit test of a commit that turns red
without its source.

Last line: `100 of 100 red`. Exit status 1 where one is not.
"""

import argparse
import sys

from tests.unit.guard.faults import FaultError, Mend, read_mends, read_mutations
from tests.unit.guard.guard import Guard, select


def main(arguments: list[str]) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="make guard-of-tests ARGS=…", description="Turn each test on record red.")
    parser.add_argument("-n", type=int, default=2, metavar="N", help="runs side by side (2)")
    parser.add_argument("-k", default="", metavar="TEXT", help="faults whose commit, place or test has this text")
    parser.add_argument("--anew", action="store_true", help="repeat also what this tree was found red with")
    parser.add_argument("--find", nargs="+", default=[], metavar="COMMIT", help="name the tests that find a mend")
    chosen = parser.parse_args(arguments)
    try:
        with Guard(max(1, chosen.n)) as guard:
            if chosen.find:
                return guard.find([Mend(commit, "") for commit in chosen.find])
            mends, mutations = select(read_mends(), chosen.k), select(read_mutations(), chosen.k)
            if not mends and not mutations:
                sys.stderr.write(f"no fault has the text {chosen.k!r}: see tests/unit/guard/\n")
                return 1
            red = guard.judge([*mutations, *mends], anew=chosen.anew)
    except FaultError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped: the next run goes on from here\n")
        return 130
    total = len(mends) + len(mutations)
    sys.stdout.write(f"{len(red)} of {total} red\n")
    return 0 if len(red) == total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
