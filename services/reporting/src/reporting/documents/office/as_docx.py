"""The report as DOCX, in the order and the type of Decree 30/2020/NĐ-CP, Annex I (domain 3.1)."""

from io import BytesIO
from typing import Any

import segno
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part

from reporting.documents.as_json import compact
from reporting.documents.layout import (
    ATTACHED,
    BETWEEN_PT,
    BODY,
    COUNTRY,
    FIRST_LINE_MM,
    HEAD,
    LEFT_HEAD_MM,
    MOTTO,
    MOTTO_MM,
    NAMES,
    RECIPIENTS,
    RECIPIENTS_HEAD,
    RIGHT_HEAD_MM,
    TABLE,
    TEXT_MM,
    date_line,
    number_line,
)
from reporting.documents.letter.blocks import Appendix, Block, Grid, Heading, Picture, Text
from reporting.documents.letter.content import paper
from reporting.documents.office.archive import REPORT_PART, custom_xml, packed, unpacked
from reporting.documents.office.word_page import CENTRE, LEFT, WordPage
from reporting.domain.instants import moment
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import Report


def as_docx(report: Report) -> bytes:
    """The letter with its appendices. Number, date and signature are the clerk's."""
    content, page = paper(report), WordPage()
    _properties(page, report, content.title)
    _head(page, report.header.letterhead)
    _name(page, report.header.letterhead)
    for block in content.body:
        _block(page, block, wide=False)
    _end(page, report.header.letterhead)
    for one in content.appendices:
        _appendix(page, one)
    page.foot((*content.foot.lines, content.status), qr_png(content.foot.code))
    blob = custom_xml(compact(report))
    part = Part(PackURI(f"/{REPORT_PART}"), "application/xml", blob, page.document.part.package)
    page.document.part.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_XML)
    return packed(unpacked(page.saved()))


def qr_png(code: str) -> bytes:
    """The QR code as a picture, four dots a module. Not compressed: its bytes depend on no version of zlib."""
    out = BytesIO()
    segno.make(code, error="m", mode="alphanumeric").save(out, kind="png", scale=4, border=1, compresslevel=0)
    return out.getvalue()


def _properties(page: WordPage, report: Report, title: str) -> None:
    properties: Any = page.document.core_properties
    at = moment(report.header.frozen_at_ms)
    properties.title, properties.author = title, report.header.letterhead.issuer
    properties.comments, properties.language = f"SHA-256 {report.sha256}", "vi-VN"
    properties.created = properties.modified = at
    properties.last_modified_by, properties.revision = "", report.header.version


def _head(page: WordPage, letterhead: Letterhead) -> None:
    left, right = page.cells((LEFT_HEAD_MM, RIGHT_HEAD_MM))
    page.cell_line(left, letterhead.parent.upper(), NAMES)
    page.cell_line(left, letterhead.issuer.upper(), NAMES, bold=True)
    page.rule(left, LEFT_HEAD_MM, LEFT_HEAD_MM * 0.4)
    page.cell_line(left, number_line(letterhead.symbol), HEAD)
    page.cell_line(right, COUNTRY, NAMES, bold=True)
    page.cell_line(right, MOTTO, HEAD, bold=True)
    page.rule(right, RIGHT_HEAD_MM, MOTTO_MM)
    page.cell_line(right, date_line(letterhead.place), BODY, italic=True)


def _name(page: WordPage, letterhead: Letterhead) -> None:
    page.paragraph("BÁO CÁO", CENTRE, bold=True, before=18)
    page.paragraph(letterhead.subject, CENTRE, bold=True)
    page.rule(page.document, TEXT_MM, TEXT_MM * 0.35)
    first, *more = letterhead.addressees
    if not more:
        page.paragraph(f"Kính gửi: {first}", CENTRE, before=BETWEEN_PT)
        return
    page.paragraph("Kính gửi:", LEFT, before=BETWEEN_PT, indent=FIRST_LINE_MM * 2, keep=True)
    for name in (first, *more):
        end = "." if name == more[-1] else ";"
        page.paragraph(f"- {name}{end}", LEFT, indent=FIRST_LINE_MM * 3, keep=True)


def _block(page: WordPage, block: Block, *, wide: bool) -> None:
    match block:
        case Heading(text, level):
            page.paragraph(text, bold=True, italic=level > 1, before=BETWEEN_PT, indent=FIRST_LINE_MM, keep=True)
        case Text(text):
            page.paragraph(text, before=BETWEEN_PT, indent=0 if wide else FIRST_LINE_MM)
        case Grid():
            if block.caption is not None:
                page.paragraph(block.caption, CENTRE, size=HEAD, italic=True, before=BETWEEN_PT, keep=True)
            page.grid(block, wide=wide)
        case Picture():
            pass


def _end(page: WordPage, letterhead: Letterhead) -> None:
    page.paragraph("", LEFT, size=8)
    left, right = page.cells((TEXT_MM / 2, TEXT_MM / 2))
    page.cell_line(left, "Nơi nhận:", RECIPIENTS_HEAD, LEFT, bold=True, italic=True)
    for index, name in enumerate(letterhead.copies, start=1):
        page.cell_line(left, f"- {name}{'.' if index == len(letterhead.copies) else ';'}", RECIPIENTS, LEFT)
    for line in (letterhead.signer_authority, letterhead.signer_title):
        if line is not None:
            page.cell_line(right, line.upper(), BODY, bold=True)
    for _ in range(4):
        page.cell_line(right, "", BODY)


def _appendix(page: WordPage, one: Appendix) -> None:
    page.wide_section()
    page.paragraph(f"Phụ lục {one.number}", CENTRE, bold=True)
    page.paragraph(one.title.upper(), CENTRE, bold=True)
    page.paragraph(ATTACHED, CENTRE, size=TABLE, italic=True)
    page.paragraph("", LEFT, size=6)
    for block in one.blocks:
        _block(page, block, wide=True)
