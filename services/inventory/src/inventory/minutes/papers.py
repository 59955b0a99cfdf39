"""What the papers about one facility have in common: who issues them, on which basis, about which facility."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from inventory.domain.mandate.directive import LetterheadFields
from inventory.minutes.wording import heading_name
from vonggac.decree.letter_page import LetterPage, Page
from vonggac.decree.measures import SIGNER
from vonggac.decree.pdf.letter_pdf import LetterPdf
from vonggac.decree.word_page import CENTRE, LEFT, RIGHT, Grid

_PROVINCE = re.compile(r"(?:tỉnh|thành phố) (.+)$", re.IGNORECASE)


class PaperForm(StrEnum):
    """The files that a paper comes as."""

    DOCX = "docx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Heading:
    """Who issues a paper, and about which facility. `agencies`: names by id."""

    issuer: str
    issuer_code: str
    issuer_parent: str | None
    facility_name: str
    facility_address: str | None
    basis: str | None
    """The directive in full, as it is cited; None: no directive demands it."""
    agencies: Mapping[UUID, str]
    letterhead: LetterheadFields | None = None
    """What that directive says of its papers: where they are signed, by whom."""
    form: PaperForm = PaperForm.DOCX
    changed_at: datetime = datetime(2021, 1, 1, tzinfo=UTC)
    """When what it is about changed last: the time in a PDF's properties."""


def begin_paper(of: Heading, kind: str, symbol: str, subject: str) -> Page:
    """Begin a paper with its head and name. `kind`: `TỜ TRÌNH`; `symbol`: its abbreviation in the number, `TTr`."""
    title = f"{kind.capitalize()} {subject[0].lower()}{subject[1:]}"
    page: Page = LetterPdf(title, of.changed_at) if of.form is PaperForm.PDF else LetterPage(title)
    parent = heading_name(of.issuer_parent) if of.issuer_parent is not None else None
    page.head(parent=parent, issuer=heading_name(of.issuer), symbol=f"{symbol}-{of.issuer_code}", place=find_place(of))
    page.name(kind, subject)
    return page


def find_place(of: Heading) -> str:
    """Before the date: as the directive has it, or the province as its committee names it; dots where neither does."""
    if of.letterhead is not None and of.letterhead.place is not None:
        return of.letterhead.place
    found = _PROVINCE.search(of.issuer_parent or "")
    return found[1] if found is not None else "......"


def name_place(of: Heading) -> str:
    """Format the facility with its address."""
    return ", ".join(part for part in (of.facility_name, of.facility_address) if part is not None)


def write_grid(
    page: Page,
    columns: Sequence[str],
    widths: Sequence[float],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    size: float | None = None,
) -> None:
    """Write a table without the columns in which no row says anything. `right`: columns of amounts."""
    kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    aligns = [CENTRE if place == 0 else RIGHT if columns[place] in right else LEFT for place in kept]
    page.grid(
        Grid(
            [columns[place] for place in kept],
            [widths[place] for place in kept],
            [[row[place] for place in kept] for row in rows],
            aligns,
            size=size,
        )
    )


def end_paper(of: Heading, page: Page, recipients: Sequence[str]) -> bytes:
    """Recipients and signature, by whom the directive names, and the paper in its form."""
    head = of.letterhead
    if head is None or head.signer_title is None:
        page.closing(recipients, (SIGNER,))
    else:
        page.closing(recipients, [one for one in (head.signer_authority, head.signer_title) if one], head.signer_name)
    return page.saved()
