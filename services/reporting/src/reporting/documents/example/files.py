"""Writing the example's documents: two versions in every form, the charts, and the table of facts."""

from collections.abc import Iterator
from pathlib import Path

from reporting.documents.example.places import SITES
from reporting.documents.example.report import PERIOD, example_correction, example_days, example_report
from reporting.documents.letter.figures import charts, shown_of
from reporting.documents.render import FORMS, rendered
from reporting.reports.snapshot.report import Report
from reporting.tables import Dialect, Format, Stamp
from reporting.tables.catalogue.days import FACTS, facts_of, facts_without_cameras
from reporting.tables.formats import new_file


def write_examples(folder: Path) -> list[Path]:
    """Write them all, the same bytes each time; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in documents():
        path = folder / name
        path.write_bytes(content)
        written.append(path)
    return written


def documents() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each."""
    first = example_report()
    yield from _of(first, "bao-cao")
    yield from _of(example_correction(first), "bao-cao-v2")
    for name, svg in charts(shown_of(first)).items():
        yield f"{name}.svg", svg.encode()
    for form in (Format.PARQUET, Format.CSV):
        yield f"facts.{form}", _facts(first, form)


def _of(report: Report, stem: str) -> Iterator[tuple[str, bytes]]:
    for form in FORMS:
        yield f"{stem}.{form}", rendered(report, form)


def _facts(report: Report, form: Format) -> bytes:
    """Write the table of facts of the same accounts, of the moment when the report was frozen."""
    cameras, days = example_days()
    stamp = Stamp(report.header.frozen_at_ms, PERIOD, report.header.period.time_zone)
    file = new_file(FACTS, stamp, form, Dialect.RFC4180)
    written = [file.begin(), file.write(facts_of(cameras, days))]
    written += [file.write(facts_without_cameras(one.facility, days)) for one in SITES if not one.cameras]
    return b"".join([*written, *file.end()])
