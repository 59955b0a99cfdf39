"""A service on a machine whose clock is off: `python -m bench.truth.skewed prober`, by SKEW_S seconds."""

import os
import runpy
import sys
import time

SKEW_S = "VONGGAC_BENCH_SKEW_S"


def main() -> None:
    """Before the service is imported: whoever reads the wall clock gets the wrong one, as from the kernel."""
    true_s, off_s = time.time, float(os.environ[SKEW_S])
    time.time = lambda: true_s() + off_s
    runpy.run_module(sys.argv.pop(1), run_name="__main__")


if __name__ == "__main__":
    main()
