"""The parts of an official document in the order of the annex: head, name, addressees, body, signatures, recipients.

Number, date and signature are left to the clerk.
"""

from collections.abc import Sequence
from typing import Protocol

from docx.shared import Mm

from vonggac.decree.measures import (
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
    SIGNER,
    TEXT_MM,
    date_line,
    number_line,
)
from vonggac.decree.word_page import CENTRE, LEFT, Grid, WordPage

SIGNING_MM = 38
"""Room to sign, of each party of minutes."""


class Page(Protocol):
    """What a paper is written on: Word and PDF have the same parts, so that both say the same."""

    def head(
        self, *, parent: str | None, issuer: str, symbol: str, subject: str | None = None, place: str | None = None
    ) -> None:
        """Names and number on the left, the country on the right."""

    def name(self, name: str, subject: str) -> None:
        """Write the kind of document, and what it is about."""

    def addressees(self, names: Sequence[str], *, before: float = 6) -> None:
        """«Kính gửi»."""

    def heading(self, text: str, level: int = 1) -> None:
        """Write the heading of a part of the document."""

    def text(self, text: str, *, keep: bool = False) -> None:
        """Write a paragraph of the body; `keep` with the table that it introduces."""

    def grid(self, grid: Grid, *, wide: bool = False) -> None:
        """Write a table with rules."""

    def closing(self, recipients: Sequence[str], signer: Sequence[str] = ..., signer_name: str | None = None) -> None:
        """«Nơi nhận» and the signature, on a page with what is signed."""

    def saved(self) -> bytes:
        """Return the file."""


class LetterPage(WordPage):
    """A letter, a report or minutes that is being written."""

    def head(
        self, *, parent: str | None, issuer: str, symbol: str, subject: str | None = None, place: str | None = None
    ) -> None:
        """Names and number on the left, the country on the right; a letter's `subject` below the number, `place` before
        the date."""
        ((left, right),) = self.cells((LEFT_HEAD_MM, RIGHT_HEAD_MM))
        if parent is not None:
            self.cell_line(left, write_agency(parent), NAMES)
        self.cell_line(left, write_agency(issuer), NAMES, bold=True)
        self.rule(left, LEFT_HEAD_MM, LEFT_HEAD_MM * 0.4)
        self.cell_line(left, number_line(symbol), HEAD)
        if subject is not None:
            self.cell_line(left, subject, NAMES, before=BETWEEN_PT)
        self.cell_line(right, COUNTRY, NAMES, bold=True)
        self.cell_line(right, MOTTO, HEAD, bold=True)
        self.rule(right, RIGHT_HEAD_MM, MOTTO_MM)
        if place is not None:
            self.cell_line(right, date_line(place), BODY, italic=True)

    def name(self, name: str, subject: str) -> None:
        """Write the kind of document, and what it is about."""
        self.paragraph(name, CENTRE, bold=True, before=18)
        self.paragraph(subject, CENTRE, bold=True)
        self.rule(self.document, TEXT_MM, TEXT_MM * 0.35)

    def addressees(self, names: Sequence[str], *, before: float = BETWEEN_PT) -> None:
        """«Kính gửi»: one in its line, several one a line."""
        first, *more = names
        if not more:
            self.paragraph(f"Kính gửi: {first}", CENTRE, before=before)
            return
        self.paragraph("Kính gửi:", LEFT, before=before, indent=FIRST_LINE_MM * 2, keep=True)
        for name, end in list_names(names):
            self.paragraph(f"- {name}{end}", LEFT, indent=FIRST_LINE_MM * 3, keep=True)

    def heading(self, text: str, level: int = 1) -> None:
        """Write the heading of a part of the document."""
        self.paragraph(text, bold=True, italic=level > 1, before=BETWEEN_PT, indent=FIRST_LINE_MM, keep=True)

    def text(self, text: str, *, keep: bool = False) -> None:
        """Write a paragraph of the body; `keep` with the table that it introduces."""
        self.paragraph(text, before=BETWEEN_PT, indent=FIRST_LINE_MM, keep=keep)

    def caption(self, text: str, *, keep: bool = True) -> None:
        """Write what stands above a table or below a picture; `keep` with what follows."""
        self.paragraph(text, CENTRE, size=HEAD, italic=True, before=BETWEEN_PT, keep=keep)

    def closing(
        self,
        recipients: Sequence[str],
        signer: Sequence[str] = (SIGNER,),
        signer_name: str | None = None,
        *,
        whole: bool = True,
    ) -> None:
        """«Nơi nhận» on the left, the signer's post with room to sign and the name on the right, on a page with what is
        signed: the last paragraph, which is not broken if `whole`."""
        last = self.document.paragraphs[-1].paragraph_format
        last.keep_with_next = True
        if whole:
            last.keep_together = True
        self.paragraph("", LEFT, size=8, keep=True)
        ((left, right),) = self.cells((TEXT_MM / 2, TEXT_MM / 2))
        self.cell_line(left, "Nơi nhận:", RECIPIENTS_HEAD, LEFT, bold=True, italic=True)
        for name, end in list_names(recipients):
            self.cell_line(left, f"- {name}{end}", RECIPIENTS, LEFT)
        for line in signer:
            self.cell_line(right, line.upper(), BODY, bold=True)
        for _ in range(4):
            self.cell_line(right, "", BODY)
        if signer_name is not None:
            self.cell_line(right, signer_name, BODY, bold=True)

    def signatures(self, titles: Sequence[str]) -> None:
        """Of the parties of minutes: two beside each other, with room to sign, all on a page with what they sign."""
        last = self.document.paragraphs[-1].paragraph_format
        last.keep_with_next = last.keep_together = True
        self.paragraph("", LEFT, size=8, keep=True)
        rows = self.cells((TEXT_MM / 2, TEXT_MM / 2), (len(titles) + 1) // 2)
        for row in self.document.tables[-1].rows:
            row.height = Mm(SIGNING_MM)
        for index, title in enumerate(titles):
            cell = rows[index // 2][index % 2]
            self.cell_line(cell, title, BODY, bold=True)
            self.cell_line(cell, "(Ký, ghi rõ họ tên)", HEAD, italic=True)
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.keep_with_next = index // 2 + 1 < len(rows)

    def recipients(self, names: Sequence[str]) -> None:
        """«Nơi nhận» at the foot of minutes."""
        self.paragraph("Nơi nhận:", LEFT, size=RECIPIENTS_HEAD, bold=True, italic=True, before=BETWEEN_PT, keep=True)
        for name, end in list_names(names):
            self.paragraph(f"- {name}{end}", LEFT, size=RECIPIENTS)


def write_agency(name: str) -> str:
    """Write an agency at the head: in capitals, a people's committee as `UBND TỈNH QUẢNG TRỊ`, or it fills the line."""
    return name.replace("Ủy ban nhân dân", "UBND").upper()


def list_names(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each name with what ends its line: `;`, of the last one `.`."""
    return [(name, "." if place == len(names) else ";") for place, name in enumerate(names, start=1)]
