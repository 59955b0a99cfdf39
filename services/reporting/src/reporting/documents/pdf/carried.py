"""The report inside a PDF, and whether what stands around it is as it was made."""

import re
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name, Pdf

from reporting.reports.snapshot.report import NotThatReportError

PIECE = "/VongGac"
"""Of the catalogue: whose private data the report is."""
_MOST_UNPACKED = 64 * 1024 * 1024
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def carried_report(content: bytes) -> bytes:
    """Read the report's JSON inside a PDF. Raises NotThatReportError when it carries none."""
    _refuse_packed_objects(content)
    try:
        with Pdf.open(BytesIO(content)) as pdf:
            return _unpacked(pdf.Root.PieceInfo[PIECE].Private)
    except NotThatReportError:
        raise
    except (pikepdf.PdfError, AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"it carries no frozen report: {error}"
        raise NotThatReportError(msg) from None


def differences(expected: bytes, content: bytes) -> list[str]:
    """Describe in words what a file shows or holds that the one as it was made does not, but for signatures.

    An update behind a PDF may put other objects in the place of those before. Whatever was there must be as it was, but
    for the fields that are signed, and what of the catalogue speaks of signatures.
    Raises NotThatReportError when the file cannot be read.
    """
    _refuse_packed_objects(content)
    try:
        with Pdf.open(BytesIO(expected)) as old, Pdf.open(BytesIO(content)) as new:
            if old.Root.objgen != new.Root.objgen or new.is_encrypted:
                return ["its catalogue is another"]
            if len(old.pages) != len(new.pages):
                return [f"it has {len(new.pages)} pages instead of {len(old.pages)}"]
            found = [
                f"page {number} shows something else"
                for number, (was, now) in enumerate(zip(old.pages, new.pages, strict=True), start=1)
                if not _shows_the_same(was.obj.get("/Contents"), now.obj.get("/Contents"))
            ]
            changed = [number for number in range(1, int(old.trailer.Size)) if not _as_it_was(old, new, number)]
            return found or [f"object {number} is another" for number in changed]
    except NotThatReportError:
        raise
    except (pikepdf.PdfError, AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"it is no readable PDF: {error}"
        raise NotThatReportError(msg) from None


_SIGNED: dict[str, frozenset[str]] = {
    "/Catalog": frozenset({"/DSS", "/Perms", "/Extensions", "/Version"}),
    "/AcroForm": frozenset({"/SigFlags", "/DR", "/DA"}),
    "/Sig": frozenset({"/V", "/AP", "/F", "/Lock"}),
}
"""What signing may change: of the catalogue, of the form and of a field. No page gets another annotation, which might
cover what the page shows; a signature that is not in one of the two fields is therefore not taken for one."""


def _shows_the_same(was: Any, now: Any) -> bool:
    """Check that a report's page kept its one stream: what programs put on a page stands in others beside it."""
    return isinstance(now, pikepdf.Stream) and _unpacked(was) == _unpacked(now)


def _as_it_was(old: Pdf, new: Pdf, number: int) -> bool:
    was, now = old.get_object(number, 0), new.get_object(number, 0)
    if isinstance(was, pikepdf.Stream):
        if was.get("/Type") == Name.Metadata:  # its dates are brought up to date, as those of the dictionary below
            return True
        if not isinstance(now, pikepdf.Stream) or was.read_raw_bytes() != now.read_raw_bytes():
            return False
    elif not isinstance(was, Dictionary) or not isinstance(now, Dictionary):
        return was.unparse(resolved=True) == now.unparse(resolved=True)
    if number == _info(old):
        return True
    kind = "/Sig" if was.get("/FT") == Name.Sig else "/AcroForm" if "/SigFlags" in was else str(was.get("/Type"))
    free = _SIGNED.get(kind, frozenset())
    names = (set(was.keys()) | set(now.keys())) - free
    return all(name in was and name in now and _unparsed(was[name]) == _unparsed(now[name]) for name in names)


def _info(pdf: Pdf) -> int:
    """Find the number of the dictionary with the dates of the file, which a signing program brings up to date."""
    return int(pdf.trailer.Info.objgen[0]) if "/Info" in pdf.trailer else 0


def _unparsed(value: Any) -> bytes:
    """Return a value as it stands in its file: references by their number."""
    return value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode()


def _unpacked(stream: Any) -> bytes:
    """Unpack a stream, at most so many bytes: packed twice, a kilobyte is a gigabyte. Raises NotThatReportError."""
    packed = bytes(stream.read_raw_bytes())
    if "/Filter" not in stream:
        return packed
    if stream.Filter == Name.FlateDecode and "/DecodeParms" not in stream:
        unpacking = zlib.decompressobj()
        with suppress(zlib.error):
            unpacked = unpacking.decompress(packed, _MOST_UNPACKED)
            if unpacking.eof:
                return unpacked
    msg = "a part of it is packed as no program packs a report"
    raise NotThatReportError(msg)


def _refuse_packed_objects(content: bytes) -> None:
    """Refuse packed objects: a kilobyte may be a gigabyte of memory to whoever opens the file, and reports have none.

    Raises NotThatReportError.
    """
    names = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if b"/ObjStm" in names or b"/XRef" in names:
        msg = "it has packed objects, which no file of a report has"
        raise NotThatReportError(msg)
