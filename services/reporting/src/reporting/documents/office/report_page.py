"""A page of a report: as the decree has it, with the foot that says which report it is."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from docx.enum.section import WD_ORIENT
from docx.shared import Mm, Pt

from reporting.documents.layout import FOOT, FOOT_MM, QR_MM
from vonggac.decree import LEFT, LetterPage
from vonggac.decree.measures import TEXT_MM, WIDE_TEXT_MM


class ReportPage(LetterPage):
    """A report that is being written."""

    def foot(self, lines: Sequence[str], code: bytes) -> None:
        """The foot of every page: lines beside a picture."""
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
