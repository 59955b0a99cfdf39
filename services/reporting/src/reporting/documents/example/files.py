"""Writing the example's documents: two versions in every form, and the charts."""

from collections.abc import Iterator
from pathlib import Path

from reporting.documents.example.report import example_correction, example_report
from reporting.documents.letter.figures import charts, shown_of
from reporting.documents.render import FORMS, rendered
from reporting.reports.snapshot.report import Report


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


def _of(report: Report, stem: str) -> Iterator[tuple[str, bytes]]:
    for form in FORMS:
        yield f"{stem}.{form}", rendered(report, form)
