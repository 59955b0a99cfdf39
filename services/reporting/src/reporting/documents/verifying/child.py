"""Verification of a file in a process with limits: files are of somebody's making, and what opening one takes is known
only afterwards.

The process gets the file and answers what it carries; where the register has that report, it gets that too, and
compares. What makes a report's five forms takes seconds and 150 MB to load: it is loaded then, and not for a file that
carries nothing.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from reporting.documents.verifying.carried import Verdict, opened
from reporting.reports.snapshot.report import StoredReport
from vonggac.children.limits import Limits
from vonggac.children.one_shot import ChildFailedError, Frame, read_frame, start_child, write_frame
from vonggac.children.sandbox import confine

if TYPE_CHECKING:
    from reporting.reports.snapshot.handed_out import FileDigest

LIMITS = Limits(memory_bytes=640 * 2**20, cpu_s=40)
"""As the parser of workbooks has it (decision 0099); a file that needs more is refused by name."""
WITHIN_S = 60.0
MOST_ANSWER_BYTES = 2**20
_PACKAGE = "reporting.documents"
type Given = tuple[str, int, str]
"""A file that was handed out: form, size in bytes, digest in hexadecimal."""


class Answer(NamedTuple):
    """A verdict, and what the file carries: None when it carries no report that adds up."""

    form: str | None
    unaltered: bool
    differences: Sequence[str]
    notes: Sequence[str] = ()
    report_id: str | None = None
    version: int | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, found: Verdict) -> "Answer":
        report = found.report
        carried = (None, None, None) if report is None else (str(report.id), report.header.version, report.sha256)
        # They quote the file, which may hold half a surrogate pair.
        differences = [one.encode("utf-8", "replace").decode() for one in found.differences]
        return cls(found.form, found.unaltered, differences, list(found.notes), *carried)


class Known(NamedTuple):
    """A report of the register, and the files of it that were handed out."""

    report: StoredReport
    handed_out: "Sequence[FileDigest]"


type Find = Callable[[UUID, int], Awaitable[Known | None]]


async def verify_in_child(content: Frame, find: Find, *, by_row: bool) -> Answer:
    """Compare a file with the report that it says it is, which `find` reads from the register.

    A file that takes more memory or time than a report does is none. Raises OSError where no process can be started.
    """
    try:
        async with start_child(__name__, LIMITS, within_s=WITHIN_S, most_bytes=MOST_ANSWER_BYTES) as child:
            carried = Answer(*json.loads(await child.request_answer(content)))
            if carried.report_id is None or carried.version is None:
                return carried
            known = await find(UUID(carried.report_id), carried.version)
            if known is None:
                stranger = f"no report {carried.report_id} version {carried.version} was frozen here"
                return carried._replace(unaltered=False, differences=[stranger], notes=())
            question = {
                "approval": known.report.approval,
                "handed_out": [[one.form, one.size, one.sha256.hex()] for one in known.handed_out],
                "by_row": by_row,
            }
            asked = json.dumps(question).encode()
            return Answer(*json.loads(await child.request_answer([asked], [known.report.document])))
    except ChildFailedError as error:
        bound = f"{LIMITS.memory_bytes >> 20} MB of memory or {LIMITS.cpu_s} s of processor time"
        return Answer(None, False, [f"it takes more than {bound} to open, which no report does ({error})"])


def main() -> None:
    """Answer for one file."""
    Limits.parse(sys.argv[1]).apply()
    confine(_PACKAGE)
    content = read_frame(sys.stdin.buffer)
    assert content is not None, "the parent sends it first"
    _write(opened(content))
    question, document = read_frame(sys.stdin.buffer), read_frame(sys.stdin.buffer)
    if question is None or document is None:
        return
    asked = json.loads(question)
    _write(_compare(content, StoredReport(document, asked["approval"]), asked["handed_out"], by_row=asked["by_row"]))


def _compare(content: bytes, known: StoredReport, given: Sequence[Given], *, by_row: bool) -> Verdict:
    from reporting.documents.verifying.verify import verify
    from reporting.reports.snapshot.handed_out import FileDigest

    files = [FileDigest(form, size, bytes.fromhex(digest)) for form, size, digest in given]
    return verify(content, known.report(), files, by_row=by_row)


def _write(found: Verdict) -> None:
    write_frame(sys.stdout.buffer, json.dumps(Answer.of(found)).encode())


if __name__ == "__main__":
    main()
