"""What Typst does not write: two named fields for signatures, and the report itself inside the file.

The report is private data of the catalogue (a page-piece dictionary, ISO 32000-1, 14.5), which PDF/A-2 allows; of
attachments it allows PDF/A alone. Nothing is compressed here, and the file's identifier is a digest of its contents.
"""

import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from reporting.documents.layout import AGENCY_FIELD_MM, FIELD_HEIGHT_MM
from reporting.reports.snapshot.report import NotThatReportError
from vonggac.decree.measures import LEFT_MM, RIGHT_MM, TEXT_MM

SIGNER_FIELD, AGENCY_FIELD = "ChuKyLanhDao", "ChuKyCoQuan"
"""The signature of the person in charge, and that of the agency (Decree 30/2020, Annex I: both are digital)."""
PIECE = "/VongGac"
_MOST_UNPACKED = 64 * 1024 * 1024
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PT_PER_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Place:
    """Where the signatures go: the page, counted from 0, and the upper edge in points from the page's upper edge."""

    page: int
    top: float


def with_report_and_fields(content: bytes, report: bytes, place: Place) -> bytes:
    """The file with both."""
    with Pdf.open(BytesIO(content)) as pdf:
        page = pdf.pages[place.page]
        upper = float(page.mediabox[3]) - place.top
        middle = (LEFT_MM + TEXT_MM / 2) * _PT_PER_MM
        between = middle + AGENCY_FIELD_MM * _PT_PER_MM
        lower, right = upper - FIELD_HEIGHT_MM * _PT_PER_MM, float(page.mediabox[2]) - RIGHT_MM * _PT_PER_MM
        fields = [
            _field(pdf, page, AGENCY_FIELD, "Chữ ký số của cơ quan, tổ chức", (middle, lower, between - 4, upper)),
            _field(pdf, page, SIGNER_FIELD, "Chữ ký số của người có thẩm quyền", (between, lower, right, upper)),
        ]
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array(fields), SigFlags=1))
        page.obj.Tabs = Name.S
        _tag(pdf, page, fields)
        changed = pdf.docinfo["/ModDate"]
        piece = Dictionary(LastModified=changed, Private=pdf.make_stream(report))
        pdf.Root.PieceInfo = Dictionary({PIECE: piece})
        pdf.Root.LastModified = changed
        return _saved(pdf)


def carried_report(content: bytes) -> bytes:
    """The report's JSON inside a PDF. Raises NotThatReportError when it carries none."""
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
    """What a file shows or holds that the one as it was made does not, but for signatures: in words.

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
    """A page of a report has one stream; what programs put on a page stands in others beside it."""
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
    """The number of the dictionary with the dates of the file, which a signing program brings up to date."""
    return int(pdf.trailer.Info.objgen[0]) if "/Info" in pdf.trailer else 0


def _unparsed(value: Any) -> bytes:
    """A value as it stands in its file: references by their number."""
    return value.unparse() if isinstance(value, pikepdf.Object) else repr(value).encode()


def _unpacked(stream: Any) -> bytes:
    """The bytes of a stream, at most so many: packed twice, a kilobyte is a gigabyte. Raises NotThatReportError."""
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
    """A kilobyte of packed objects may be a gigabyte of memory to whoever opens the file, and reports have none.

    Raises NotThatReportError.
    """
    names = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if b"/ObjStm" in names or b"/XRef" in names:
        msg = "it has packed objects, which no file of a report has"
        raise NotThatReportError(msg)


def _saved(pdf: Pdf) -> bytes:
    out = BytesIO()
    pdf.save(
        out,
        deterministic_id=True,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        fix_metadata_version=False,
    )
    return out.getvalue()


def _field(pdf: Pdf, page: pikepdf.Page, name: str, words: str, rectangle: tuple[float, ...]) -> pikepdf.Object:
    """An empty signature field. PDF/A wants an appearance of every annotation: an empty one, until it is signed."""
    left, lower, right, upper = (round(each, 2) for each in rectangle)
    appearance = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, right - left, upper - lower])
    appearance.Resources = Dictionary()
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Sig,
            T=String(name),
            TU=String(words),
            Rect=Array([left, lower, right, upper]),
            F=4,
            P=page.obj,
            AP=Dictionary(N=appearance),
        )
    )
    if "/Annots" not in page.obj:
        page.obj.Annots = Array([])
    page.obj.Annots.append(field)
    return field


def _tag(pdf: Pdf, page: pikepdf.Page, fields: Sequence[pikepdf.Object]) -> None:
    """Put the fields into the structure that screen readers follow (PDF/UA-1, 7.18.4: each in a Form element)."""
    root: Any = pdf.Root.StructTreeRoot
    document = root.K[0] if isinstance(root.K, Array) else root.K
    key = int(root.ParentTreeNextKey)
    entries: list[Any] = []
    for field in fields:
        child = Dictionary(Type=Name.OBJR, Obj=field, Pg=page.obj)
        element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Form, P=document, K=child))
        document.K.append(element)
        field.StructParent = key
        entries += [key, element]
        key += 1
    tree = root.ParentTree
    if "/Nums" in tree:
        for each in entries:
            tree.Nums.append(each)
    else:
        limits = Array([entries[0], entries[-2]])
        tree.Kids.append(pdf.make_indirect(Dictionary(Nums=Array(entries), Limits=limits)))
    root.ParentTreeNextKey = key
