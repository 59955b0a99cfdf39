"""What a frozen report of some 300 cameras costs in its five forms: `python -m bench.reporting.documents`.

The example's report with each facility, camera, delivery and outage nine times, rendered in this process: each time
with other lengths of time, since Typst keeps what it has set before. Prints a line per form and, last, one JSON line.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator

from reporting.documents.example.report import SEED, example_report, example_tables
from reporting.documents.render import FORMS, rendered
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report, table_parts

COPIES = 9
REPEATED = ("facilities", "progress", "obligations", "cameras", "deliveries", "outages")
"""Tables with a row a thing; the others are sums, and as long as they are for any number of cameras."""
NAMING = frozenset({"unit_code", "agency_code", "facility_code", "camera_code", "destination_code", "facility_id"})
"""Columns that name another thing in each copy."""
LENGTHS = ("up_ms", "down_ms", "length_ms")
MORE_MS = 7_654_321
"""What the next report has more of each."""


def report_of_many(number: int = 0) -> Report:
    """34 cameras of the example, nine times; the figures are those of one of several reports."""
    first = example_report()
    tables = {
        name: [row for copy in range(COPIES if name in REPEATED else 1) for row in _copied(rows, copy, number)]
        for name, rows in example_tables(SEED).items()
    }
    return Report(first.header.model_copy(update={"tables": table_parts(tables)}), tables)


def _copied(rows: list[Row], copy: int, number: int) -> Iterator[Row]:
    for row in rows:
        named = {name: f"{value}-{copy}" if name in NAMING and copy else value for name, value in row.items()}
        yield named | {name: int(named[name] or 0) + number * MORE_MS for name in LENGTHS if name in named}


def measure(times: int) -> dict[str, float]:
    """Median seconds of each form, and of all five one after the other."""
    for form in FORMS:
        rendered(report_of_many(), form)
    taken: dict[str, list[float]] = {form: [] for form in FORMS}
    for number in range(1, times + 1):
        report = report_of_many(number)
        for form in FORMS:
            # Another value of the same report: what one form has computed is no gift to the next.
            fresh = Report(report.header, report.tables, report.approval)
            started = time.perf_counter()
            rendered(fresh, form)
            taken[form].append(time.perf_counter() - started)
    result = {f"{form}_s": round(statistics.median(each), 2) for form, each in taken.items()}
    whole = statistics.median(sum(each) for each in zip(*taken.values(), strict=True))
    return {"report_cameras": len(report.tables["cameras"]), **result, "five_forms_s": round(whole, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    result = measure(parser.parse_args().times)
    for name, value in result.items():
        print(f"{name:>18}  {value:,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
