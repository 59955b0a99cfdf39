"""What Typst does not write: two named fields for signatures, and the report itself inside the file.

The report is private data of the catalogue (a page-piece dictionary, ISO 32000-1, 14.5), which PDF/A-2 allows; of
attachments it allows PDF/A alone. Nothing is compressed here, and the file's identifier is a digest of its contents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from reporting.documents.layout import AGENCY_FIELD_MM, FIELD_HEIGHT_MM
from reporting.documents.pdf.carried import PIECE
from vonggac.decree.measures import LEFT_MM, RIGHT_MM, TEXT_MM

SIGNER_FIELD, AGENCY_FIELD = "ChuKyLanhDao", "ChuKyCoQuan"
"""The signature of the person in charge, and that of the agency (Decree 30/2020, Annex I: both are digital)."""
_PT_PER_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Place:
    """Where the signatures go: the page, counted from 0, and the upper edge in points from the page's upper edge."""

    page: int
    top: float


def with_report_and_fields(content: bytes, report: bytes, place: Place) -> bytes:
    """Add the report and the signature fields to the file."""
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
    """Build an empty signature field. PDF/A wants an appearance of every annotation: empty, until it is signed."""
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
