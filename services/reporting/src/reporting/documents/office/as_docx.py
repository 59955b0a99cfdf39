"""The report as DOCX, in the order and the type of Decree 30/2020/NĐ-CP, Annex I (domain 3.1)."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import segno
from docx.enum.section import WD_ORIENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.shared import Mm, Pt

from reporting.documents.layout import ATTACHED, CHART_MM, FOOT, FOOT_MM, QR_MM, WIDE_CHART_MM
from reporting.documents.letter.blocks import Align, Appendix, Block, Grid, Heading, Picture, Text
from reporting.documents.letter.content import paper
from reporting.documents.office.archive import REPORT_PART, custom_xml
from reporting.documents.pdf.typesetting import pictures
from reporting.domain.instants import moment
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import Report
from vonggac.decree import word_page
from vonggac.decree.letter_page import LetterPage
from vonggac.decree.measures import BETWEEN_PT, TABLE, TEXT_MM, WIDE_TEXT_MM
from vonggac.decree.word_page import CENTRE, LEFT, RIGHT

_ALIGNS: Mapping[Align, Any] = {"left": LEFT, "centre": CENTRE, "right": RIGHT}


def as_docx(report: Report) -> bytes:
    """Write the letter with its appendices. Number, date and signature are the clerk's."""
    content, page, letterhead = paper(report), ReportPage(keeps_symbols=report.has_assessment), report.header.letterhead
    _properties(page, report, content.title)
    page.head(parent=letterhead.parent, issuer=letterhead.issuer, symbol=letterhead.symbol, place=letterhead.place)
    page.name("BÁO CÁO", letterhead.subject)
    page.addressees(letterhead.addressees)
    drawn = _drawn([*content.body, *(block for one in content.appendices for block in one.blocks)])
    for block in content.body:
        _block(page, block, drawn, wide=False)
    page.closing(letterhead.copies, _signer(letterhead), letterhead.signer_name, whole=report.has_assessment)
    for one in content.appendices:
        _appendix(page, one, drawn)
    page.foot((*content.foot.lines, content.status), qr_png(content.foot.code))
    blob = custom_xml(report.compact())
    part = Part(PackURI(f"/{REPORT_PART}"), "application/xml", blob, page.document.part.package)
    page.document.part.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_XML)
    return page.saved()


def qr_png(code: str) -> bytes:
    """Draw the QR code as PNG, four dots a module. Not compressed: its bytes depend on no version of zlib."""
    out = BytesIO()
    segno.make(code, error="m", mode="alphanumeric").save(out, kind="png", scale=4, border=1, compresslevel=0)
    return out.getvalue()


def _properties(page: "ReportPage", report: Report, title: str) -> None:
    properties: Any = page.document.core_properties
    at = moment(report.header.frozen_at_ms)
    page.entitle(title)
    properties.author = report.header.letterhead.issuer
    properties.comments, properties.language = f"SHA-256 {report.sha256}", "vi-VN"
    properties.created = properties.modified = at
    properties.last_modified_by, properties.revision = "", report.header.version


def _signer(letterhead: Letterhead) -> list[str]:
    return [line for line in (letterhead.signer_authority, letterhead.signer_title) if line is not None]


def _drawn(blocks: Sequence[Block]) -> Mapping[str, bytes]:
    """Every chart as PNG, by its SVG: Word has no place for SVG alone."""
    charts = [block.svg for block in blocks if isinstance(block, Picture)]
    return dict(zip(charts, pictures(charts, CHART_MM), strict=True))


def _block(page: "ReportPage", block: Block, drawn: Mapping[str, bytes], *, wide: bool) -> None:
    match block:
        case Heading(text, level):
            page.heading(text, level)
        case Text(text):
            if wide:
                page.paragraph(text, before=BETWEEN_PT)
            else:
                page.text(text)
        case Grid():
            if block.caption is not None:
                page.caption(block.caption)
            aligns = [_ALIGNS[one] for one in block.aligns]
            grid = word_page.Grid(block.columns, block.widths, block.rows, aligns, block.strong, block.size)
            page.grid(grid, wide=wide)
        case Picture(svg, words):
            page.picture(drawn[svg], WIDE_CHART_MM if wide else CHART_MM, words)
            page.caption(words, keep=False)


def _appendix(page: "ReportPage", one: Appendix, drawn: Mapping[str, bytes]) -> None:
    page.wide_section()
    page.paragraph(f"Phụ lục {one.number}", CENTRE, bold=True)
    page.paragraph(one.title.upper(), CENTRE, bold=True)
    page.paragraph(ATTACHED, CENTRE, size=TABLE, italic=True)
    page.paragraph("", LEFT, size=6)
    for block in one.blocks:
        _block(page, block, drawn, wide=True)


class ReportPage(LetterPage):
    """A page as the decree has it, with the foot that says which report it is."""

    def foot(self, lines: Sequence[str], code: bytes) -> None:
        """Write the foot of every page: lines beside a picture."""
        for section in self.document.sections:
            section.footer_distance = Mm(FOOT_MM)
            section.footer.is_linked_to_previous = section.first_page_footer.is_linked_to_previous = False
            wide = section.orientation == WD_ORIENT.LANDSCAPE
            for footer in (section.footer, section.first_page_footer):
                self._foot(footer, lines, code, WIDE_TEXT_MM if wide else TEXT_MM)

    def _foot(self, footer: Any, lines: Sequence[str], code: bytes, width: float) -> None:
        table = self.table(footer, (QR_MM + 3, width - QR_MM - 3), 1, width)
        picture, words = table.rows[0].cells
        picture.paragraphs[0].add_run().add_picture(BytesIO(code), width=Mm(QR_MM))
        for line in lines:
            self.cell_line(words, line, FOOT, LEFT)
        # The empty paragraph that every footer begins with would push the foot up.
        footer.paragraphs[0]._element.getparent().remove(footer.paragraphs[0]._element)
        last = footer.add_paragraph()
        last.paragraph_format.line_spacing = Pt(1)
