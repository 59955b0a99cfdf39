"""`vonggac report verify FILE`: whether a file is a frozen report, unaltered; `… examples FOLDER` writes made-up ones.

Exit status of verify: 0 it is, 1 it is not, 2 it could not be read or asked about.
"""

import argparse
import sys
from pathlib import Path

import httpx

from reporting.documents.example.files import write_examples
from reporting.documents.verifying.carried import Verdict
from reporting.documents.verifying.verify import verify

_ASK_WITHIN_S = 60
_OTHER_RELEASE = (
    "  Its figures fit their digest. If another release of this program made the file, only the register knows "
    "(--server), which keeps the digest of every file that it handed out."
)


def main() -> None:
    """Run the command `vonggac`."""
    arguments = _parser().parse_args()
    if arguments.command == "examples":
        for path in write_examples(arguments.folder):
            sys.stdout.write(f"{path}\n")
        return
    sys.exit(_verify(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vonggac", description="Tools for Vọng Gác's documents.")
    nouns = parser.add_subparsers(dest="noun", required=True)
    report = nouns.add_parser("report", help="frozen reports").add_subparsers(dest="command", required=True)
    checked = report.add_parser("verify", help="whether a file is a frozen report, unaltered", description=__doc__)
    checked.add_argument("file", type=Path, help="JSON, CSV, XLSX, DOCX or PDF")
    checked.add_argument("--digest", help="the SHA-256 that the report must have: of a printed foot or a later report")
    checked.add_argument(
        "--server", help="address of reporting, which knows all frozen reports; then the answer is its"
    )
    checked.add_argument("--token-file", type=Path, help="file with a token for --server")
    made = report.add_parser("examples", help="write the made-up documents of docs/examples")
    made.add_argument("folder", type=Path)
    return parser


def _verify(arguments: argparse.Namespace) -> int:
    try:
        content = arguments.file.read_bytes()
    except OSError as error:
        sys.stderr.write(f"{arguments.file}: {error.strerror}\n")
        return 2
    if arguments.server is not None:
        return _verify_at_server(arguments, content)
    found = verify(content)
    sys.stdout.write("\n".join(_lines(str(arguments.file), found)) + "\n")
    if arguments.digest is not None and found.report is not None and found.report.sha256 != arguments.digest.lower():
        sys.stdout.write(f"  its digest is not {arguments.digest.lower()}: it is another report\n")
        return 1
    return 0 if found.unaltered else 1


def _lines(name: str, found: Verdict) -> list[str]:
    report = found.report
    if report is None or not found.unaltered:
        of = f" of report {report.header.id} version {report.header.version}" if report is not None else ""
        kind = found.form.upper() if found.form else "no form of a report"
        said = "ALTERED" if report is not None else "NO REPORT, or ALTERED beyond reading"
        lines = [f"{name}: {said} ({kind}{of})", *(f"  {one}" for one in found.differences)]
        return [*lines, _OTHER_RELEASE] if report is not None else lines
    header = report.header
    approved = (
        "not approved when this file was made" if report.approval is None else f"approved by {report.approval.in_words}"
    )
    return [
        f"{name}: unaltered ({str(found.form).upper()})",
        f"  report {header.id} version {header.version}, number {header.number}; {approved}",
        f"  SHA-256 {report.sha256}",
        f"  report before {header.previous_sha256 or 'none'}",
        *(f"  {one}" for one in found.notes),
        "  It agrees with itself. That it is the registered report, its digest says: compare it (--digest, --server).",
    ]


def _verify_at_server(arguments: argparse.Namespace, content: bytes) -> int:
    """Let the register verify the file."""
    headers = {"Content-Type": "application/octet-stream"}
    if arguments.token_file is not None:
        headers["Authorization"] = f"Bearer {arguments.token_file.read_text('utf-8').strip()}"
    address = f"{arguments.server.rstrip('/')}/v1/reports/verify"
    try:
        answer = httpx.post(address, content=content, headers=headers, timeout=_ASK_WITHIN_S)
        answer.raise_for_status()
        said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return 2
    word = "unaltered, as registered" if said["unaltered"] else "ALTERED or unknown to the register"
    sys.stdout.write(f"{arguments.file}: {word}\n")
    for line in (*said["differences"], *said["notes"]):
        sys.stdout.write(f"  {line}\n")
    return 0 if said["unaltered"] else 1
