"""Official documents of Vietnam in the layout of Decree 30/2020/NĐ-CP, Annex I: measures, and pages for Word.

Needs the extra `decree` (python-docx; typst, which `vonggac.decree.pdf` alone loads). The same content gives the same
bytes, on another day and machine.
"""

from vonggac.decree.archive import packed
from vonggac.decree.letter_page import LetterPage, Page
from vonggac.decree.word_page import CENTRE, LEFT, RIGHT, Grid

__all__ = ["CENTRE", "LEFT", "RIGHT", "Grid", "LetterPage", "Page", "packed"]
