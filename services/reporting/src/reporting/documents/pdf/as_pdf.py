"""The report as PDF/A-2a and PDF/UA-1, set by Typst with embedded fonts, with two fields for signatures.

The words come in as JSON, the fonts are our own, the date is that of freezing. The same report gives the same bytes.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import segno

from reporting.documents import layout
from reporting.documents.letter.blocks import Block, Grid, Heading, Paper, Picture, Text
from reporting.documents.letter.content import paper
from reporting.documents.pdf.fields import Place, with_report_and_fields
from reporting.documents.pdf.typesetting import typeset
from reporting.domain.instants import moment
from reporting.reports.snapshot.report import Report
from vonggac.decree import measures, symbols
from vonggac.decree.pdf.letter_pdf import SYMBOL

_MEASURES = {
    "font": layout.EMBEDDED_FONT, "body": measures.BODY, "names": measures.NAMES, "head": measures.HEAD,
    "table": measures.TABLE, "wide_table": measures.WIDE_TABLE, "foot": layout.FOOT, "recipients": measures.RECIPIENTS,
    "recipients_head": measures.RECIPIENTS_HEAD, "between": measures.BETWEEN_PT, "top": measures.TOP_MM,
    "bottom": measures.BOTTOM_MM, "left": measures.LEFT_MM, "right": measures.RIGHT_MM, "text": measures.TEXT_MM,
    "first_line": measures.FIRST_LINE_MM, "left_head": measures.LEFT_HEAD_MM, "motto": measures.MOTTO_MM,
    "qr": layout.QR_MM, "foot_from_edge": layout.FOOT_MM, "field_height": layout.FIELD_HEIGHT_MM,
    "tied": measures.TIED_ROWS, "short_table": measures.SHORT_TABLE, "wide_text": measures.WIDE_TEXT_MM,
    "page": measures.PAGE_MM,
}  # fmt: skip


def as_pdf(report: Report) -> bytes:
    """Write the letter with its charts and appendices."""
    content = paper(report)
    made = typeset("report.typ", _data(report, content), moment(report.header.frozen_at_ms))
    (found,) = made.fields
    return with_report_and_fields(made.pdf, report.compact(), Place(found["page"] - 1, found["top"]))


def _data(report: Report, content: Paper) -> dict[str, Any]:
    letterhead, at = report.header.letterhead, moment(report.header.frozen_at_ms)
    return {
        "measures": _MEASURES,
        "whole_rows": report.has_register,
        "symbol": {"signs": SYMBOL, "most": symbols.MOST_SIGNS} if report.has_assessment else None,
        "title": content.title,
        "date": {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "issuer": letterhead.issuer,
        "issuer_head": letterhead.issuer.upper(),
        "parent": letterhead.parent.upper(),
        "country": measures.COUNTRY,
        "motto": measures.MOTTO,
        "number_line": measures.number_line(letterhead.symbol),
        "date_line": measures.date_line(letterhead.place),
        "subject": letterhead.subject,
        "addressees": letterhead.addressees,
        "copies": letterhead.copies,
        "signer": [line.upper() for line in (letterhead.signer_authority, letterhead.signer_title) if line is not None],
        "signer_name": letterhead.signer_name,
        "attached": layout.ATTACHED,
        "body": list(_blocks(content.body)),
        "appendices": [
            {"number": one.number, "title": one.title, "blocks": list(_blocks(one.blocks))}
            for one in content.appendices
        ],
        "foot": [*content.foot.lines, content.status],
        "qr": _qr(content.foot.code),
        "qr_words": f"Mã QR: {content.foot.code}",
    }


def _blocks(blocks: Sequence[Block]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        match block:
            case Heading(text, level):
                yield {"kind": "heading", "text": text, "level": level}
            case Text(text):
                yield {"kind": "text", "text": text}
            case Grid():
                yield {
                    "kind": "grid",
                    "columns": block.columns,
                    "widths": block.widths,
                    "aligns": block.aligns,
                    "rows": block.rows,
                    "strong": sorted(block.strong),
                    "caption": block.caption,
                    "size": block.size,
                }
            case Picture(svg, words):
                yield {"kind": "picture", "svg": svg, "words": words}


def _qr(code: str) -> str:
    out = BytesIO()
    segno.make(code, error="m", mode="alphanumeric").save(out, kind="svg", border=1, xmldecl=False)
    return out.getvalue().decode()
