"""A service on a machine whose clock is off: `python -m bench.truth.skewed prober`, by SKEW_S seconds."""

import argparse
import os
import runpy
import sys
import time

SKEW_S = "VONGGAC_BENCH_SKEW_S"


def main() -> None:
    """Before the service is imported: whoever reads the wall clock gets the wrong one, as from the kernel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("service", help="module of the service; the rest is for it")
    service = parser.parse_args(sys.argv[1:2]).service
    true_s, off_s = time.time, float(os.environ[SKEW_S])
    time.time = lambda: true_s() + off_s
    del sys.argv[1]
    runpy.run_module(service, run_name="__main__")


if __name__ == "__main__":
    main()
