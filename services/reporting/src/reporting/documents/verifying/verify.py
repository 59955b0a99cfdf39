"""Whether a file is a frozen report, unaltered: its digests are computed again, and the form is made anew.

The same report gives the same bytes in one release, so a file that differs by one byte is not it, unless the register
handed out just that file; what differs is named as far as its form lets it be. A file can only prove that it agrees
with itself: that it is *that* report is said by who knows its digest, which is the register, the foot of the printed
page, or the next report in the chain.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from reporting.documents.office import archive
from reporting.documents.pdf.carried import differences as pdf_differences
from reporting.documents.render import rendered
from reporting.documents.verifying.carried import NO_FORM, Verdict, carried, form_of
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.handed_out import FileDigest
from reporting.reports.snapshot.report import NotThatReportError, Report

MAX_DIFFERENCES = 20
_SHOWN = 120


def verify(
    content: bytes, known: Report | None = None, handed_out: Sequence[FileDigest] = (), *, by_row: bool = True
) -> Verdict:
    """Open a file and compare it with what it carries, and with `known`, the report as the register has it.

    `handed_out`: the files of `known` that the register gave away, by this release or an earlier one. `by_row`: whoever
    asks may read `known`. For others a file of their own making would find out its rows, by guessing.
    """
    form = form_of(content)
    if form is None:
        return Verdict(None, False, [NO_FORM])
    try:
        report = carried(content, form)
    except NotThatReportError as error:
        return Verdict(form, False, [str(error), *(_against(content, form, known) if by_row else ())])
    if known is not None and (other := _other(report, known, by_row=by_row)):
        return Verdict(form, False, other, report)
    given = next((one.size for one in handed_out if one.form == form and one.begins(content)), None)
    # A file made before the approval is still that report.
    expected = rendered(report, form) if given is None else content[:given]
    if content == expected:
        return Verdict(form, True, report=report)
    found = differences(form, expected, content)
    if form == "pdf" and not found and (notes := _signed(content, expected)):
        return Verdict(form, True, report=report, notes=notes)
    return Verdict(form, False, found or [_first_byte(expected, content)], report)


def _other(report: Report, known: Report, *, by_row: bool) -> list[str]:
    """How a report that agrees with itself is not the one that is known."""
    if report.sha256 != known.sha256:
        version = f"{known.id} version {known.header.version}"
        return [
            f"its digest is {report.sha256}; the register's report {version} has {known.sha256}",
            *(_row_differences(known.tables, report.tables) if by_row else ()),
        ][:MAX_DIFFERENCES]
    if report.approval is not None and report.approval != known.approval:
        return [f"it says that {report.approval.by} approved it, which the register does not"]
    return []


def _against(content: bytes, form: str, known: Report | None) -> list[str]:
    """List what differs from the register's report, where the file's own report is broken."""
    return [] if known is None else differences(form, rendered(known, form), content)


def _row_differences(before: Mapping[str, Sequence[Row]], after: Mapping[str, Sequence[Row]]) -> list[str]:
    found = []
    for table in sorted(before.keys() & after.keys()):
        for number, (old, new) in enumerate(zip_longest(before[table], after[table]), start=1):
            if old != new:
                columns = [name for name in (old or new or {}) if (old or {}).get(name) != (new or {}).get(name)]
                found.append(f"table {table}, row {number}: {', '.join(columns)}")
    return found


def differences(form: str, expected: bytes, content: bytes) -> list[str]:
    """Where a file is not as it was made, in words, at most MAX_DIFFERENCES."""
    try:
        match form:
            case "csv":
                found = _lines(_csv_rows(expected), _csv_rows(content), "row")
            case "json":
                found = _lines(expected.decode().splitlines(), content.decode().splitlines(), "line")
            case "pdf":
                found = pdf_differences(expected, content)
            case _:
                found = _parts(archive.unpacked(expected), archive.unpacked(content))
    except (NotThatReportError, ValueError) as error:
        found = [str(error)]
    return found[:MAX_DIFFERENCES]


def _csv_rows(content: bytes) -> list[str]:
    return [repr(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


def _lines(expected: Sequence[str], found: Sequence[str], word: str) -> list[str]:
    return [
        f"{word} {number}: {_around(old or '', new or '')}"
        for number, (old, new) in enumerate(zip_longest(expected, found), start=1)
        if old != new
    ]


def _parts(expected: Mapping[str, bytes], found: Mapping[str, bytes]) -> list[str]:
    result = []
    for name in sorted(expected.keys() | found.keys()):
        old, new = expected.get(name), found.get(name)
        if old is None or new is None:
            result.append(f"part {name} is {'added' if old is None else 'missing'}")
        elif old != new:
            result.append(f"part {name}: {_around(_text_of(old), _text_of(new))}")
    return result


def _text_of(part: bytes) -> str:
    return re.sub(r"<[^>]*>", "\u241f", part.decode("utf-8", "replace"))


def _around(old: str, new: str) -> str:
    """Quote the first place where two texts differ, with what stands before it."""
    at = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, at - _SHOWN // 4)
    shown = [re.sub("\u241f+", " | ", each[start : at + _SHOWN // 2]).strip() for each in (old, new)]
    return f"«{shown[1]}» instead of «{shown[0]}»"


def _first_byte(expected: bytes, content: bytes) -> str:
    pairs = enumerate(zip(expected, content, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(expected), len(content)))
    return f"the first other byte is byte {at:,} (of {len(content):,} instead of {len(expected):,})"


def _signed(content: bytes, expected: bytes) -> list[str]:
    """Describe what is behind the PDF as it was made, where that is whole updates that end as a PDF ends."""
    more = content[len(expected) :]
    count = more.count(b"%%EOF")
    if not content.startswith(expected) or not count or not more.rstrip().endswith(b"%%EOF"):
        return []
    return [f"the report as it was made, with {count} later addition{'s' if count != 1 else ''}, such as signatures"]
