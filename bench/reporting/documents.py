"""What a frozen report of some 300 cameras costs in its five forms: `python -m bench.reporting.documents`.

The example's report with each facility, camera, delivery and outage nine times, rendered in this process. Prints a line
per form and, last, one JSON line.
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
REPEATED = ("facilities", "cameras", "deliveries", "outages")
"""Tables with a row a thing; the others are sums, and as long as they are for any number of cameras."""


def report_of_many() -> Report:
    """34 cameras of the example, nine times."""
    first = example_report()
    tables = {
        name: [row for copy in range(COPIES if name in REPEATED else 1) for row in _copied(rows, copy)]
        for name, rows in example_tables(SEED).items()
    }
    return Report(first.header.model_copy(update={"tables": table_parts(tables)}), tables)


def _copied(rows: list[Row], copy: int) -> Iterator[Row]:
    for row in rows:
        yield {name: f"{value}-{copy}" if name.endswith("_code") and copy else value for name, value in row.items()}


def measure(times: int) -> dict[str, float]:
    """Median seconds of each form, and of all five one after the other."""
    report = report_of_many()
    for form in FORMS:
        rendered(report, form)
    taken: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(times):
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
