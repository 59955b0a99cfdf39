"""The report that an Office file carries, and the parts of its archive."""

import re
from collections.abc import Mapping

from reporting.reports.snapshot.report import NotThatReportError
from vonggac.http.protection.archives import BrokenArchiveError, OversizedArchiveError, open_archive

REPORT_PART = "customXml/vonggac-report.xml"
"""The part that carries the report itself: Office keeps custom XML as it is, and shows nothing of it."""
NAMESPACE = "urn:vonggac:report:1"
_MOST_PARTS = 1000
_MAX_BYTES = 512 * 1024 * 1024
_MOST_PACKED = 100
"""Times. Ours are not packed at all, and what Office saves is packed by far less."""


def custom_xml(report: bytes) -> bytes:
    """Build the part around a report's JSON. No CDATA: the text is escaped as every other."""
    text = report.decode().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<report xmlns="{NAMESPACE}">{text}</report>'.encode()


def carried_report(parts: Mapping[str, bytes]) -> bytes:
    """Find the report's JSON in the parts of an Office file. Raises NotThatReportError when it carries none."""
    part = parts.get(REPORT_PART, b"")
    found = re.search(rf'<report xmlns="{NAMESPACE}">(.*)</report>'.encode(), part, re.DOTALL)
    if found is None:
        msg = f"it carries no frozen report ({REPORT_PART})"
        raise NotThatReportError(msg)
    return found[1].replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")


def unpacked(content: bytes) -> dict[str, bytes]:
    """Unpack the parts of an archive. Raises NotThatReportError when it is none, or too large."""
    most_bytes = min(_MAX_BYTES, _MOST_PACKED * len(content))
    try:
        with open_archive(content, most_parts=_MOST_PARTS, most_bytes=most_bytes) as parts:
            return {part.name: b"".join(part.pieces()) for part in parts}
    except OversizedArchiveError as error:
        msg = f"{error}: it is more than those of a report of its size"
        raise NotThatReportError(msg) from None
    except BrokenArchiveError as error:
        msg = f"it is no readable Office file: {error}"
        raise NotThatReportError(msg) from None
