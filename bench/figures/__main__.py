"""`python -m bench.figures [--check]`: write the sums into the pages and the chart.

`--check` writes nothing and exits 1 naming what is stale.
"""

import argparse
import sys

from bench.figures.pages import documents, stale

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--check", action="store_true")
if parser.parse_args().check:
    wrong = stale()
    for path in wrong:
        sys.stdout.write(f"stale: {path}; run `make generate`\n")
    sys.exit(1 if wrong else 0)
for path, text in documents():
    path.write_text(text, "utf-8")
