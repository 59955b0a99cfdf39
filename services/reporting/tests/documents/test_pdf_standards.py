"""What can be checked of PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1) without a validator, none of which comes as
a package: claims, structure, words for pictures, fonts, colours, and that nothing is drawn outside the structure.

Typst refuses to write what its own check of both standards does not pass; the fields and the report's data are put in
after it, so the finished file is what is checked here.
"""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from pikepdf import Dictionary, Name, Pdf

pytestmark = pytest.mark.heavy

if TYPE_CHECKING:
    from collections.abc import Iterator

PAINTING = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "EI", "Tj", "TJ", "'", '"'})
FORBIDDEN_ACTIONS = frozenset({"/JavaScript", "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData"})


@pytest.fixture
def file(pdf: bytes) -> Iterator[Pdf]:
    with Pdf.open(io.BytesIO(pdf)) as opened:
        yield opened


def elements(file: Pdf) -> list[Any]:
    """Every element of the structure, in reading order."""
    found: list[Any] = []

    def walk(node: Any) -> None:
        if isinstance(node, pikepdf.Array):
            for one in node:
                walk(one)
        elif isinstance(node, Dictionary):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                walk(node.K)

    walk(file.Root.StructTreeRoot.K)
    return found


def role_of(file: Pdf, element: Any) -> str:
    """The standard type of an element."""
    name: Any = element.S
    roles: Any = file.Root.StructTreeRoot.get("/RoleMap", {})
    while str(name) in roles:
        name = roles[str(name)]
    return str(name)


def fonts(file: Pdf) -> dict[str, Any]:
    """Every font that a page, a form or an appearance uses, by its name."""
    found: dict[str, Any] = {}
    for each in file.objects:
        if isinstance(each, Dictionary) and each.get("/Type") == Name.Font and "/FontDescriptor" in each:
            found[str(each.BaseFont)] = each
    return found


def test_the_metadata_claim_both_standards_and_carry_the_title(file: Pdf) -> None:
    with file.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "A")
        assert metadata["pdfuaid:part"] == "1"
        title = metadata["dc:title"]
    assert title.startswith("Báo cáo kết quả kết nối")
    assert str(file.docinfo["/Title"]) == title
    assert bool(file.Root.ViewerPreferences.DisplayDocTitle)
    assert not file.is_encrypted
    assert len(file.trailer.ID) == 2


def test_the_document_is_tagged_and_in_vietnamese(file: Pdf) -> None:
    assert bool(file.Root.MarkInfo.Marked)
    assert str(file.Root.Lang) in {"vi", "vi-VN"}
    assert all(page.obj.get("/Tabs") == Name.S for page in file.pages if "/Annots" in page.obj)
    assert all("/StructParents" in page.obj for page in file.pages)


def test_headings_begin_at_the_first_level_and_leave_none_out(file: Pdf) -> None:
    levels = [
        int(role[2:]) for one in elements(file) if (role := role_of(file, one))[:2] == "/H" and role[2:].isdigit()
    ]
    assert levels
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_every_picture_has_its_words(file: Pdf) -> None:
    figures = [one for one in elements(file) if role_of(file, one) == "/Figure"]
    assert len(figures) >= 4, "three charts in the letter, the strips in an appendix"
    words = [str(one.get("/Alt", "")) for one in figures]
    assert all(words)
    assert any("Biểu đồ 1" in one for one in words)


def test_tables_have_rows_of_cells_under_headings_with_a_scope(file: Pdf) -> None:
    found = elements(file)
    tables = [one for one in found if role_of(file, one) == "/Table"]
    headings = [one for one in found if role_of(file, one) == "/TH"]
    assert len(tables) >= 5
    assert len(headings) > len(tables)
    for heading in headings:
        attributes = heading.A if isinstance(heading.A, pikepdf.Array) else [heading.A]
        assert any("/Scope" in one for one in attributes)


def test_colours_have_a_profile_of_the_output(file: Pdf) -> None:
    (intent,) = file.Root.OutputIntents
    assert intent.S == Name.GTS_PDFA1
    assert bytes(intent.DestOutputProfile.read_bytes())[36:40] == b"acsp"


def test_every_font_is_embedded_and_its_text_can_be_copied(file: Pdf) -> None:
    used = fonts(file)
    assert used
    for name, font in used.items():
        descriptor = font.FontDescriptor
        assert any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3")), name
        assert "+" in name, "a subset has its tag"
    composite = [one for one in file.objects if isinstance(one, Dictionary) and one.get("/Subtype") == Name.Type0]
    assert composite
    assert all("/ToUnicode" in one for one in composite)


def test_nothing_is_drawn_outside_the_structure(file: Pdf) -> None:
    """Each piece of content belongs to an element, or is an artifact (page numbers, rules, the foot)."""
    for number, page in enumerate(file.pages, start=1):
        inside = 0
        for each in pikepdf.parse_content_stream(page):
            operands: Any = each.operands
            match str(each.operator):
                case "BMC":
                    assert operands[0] == Name.Artifact
                    inside += 1
                case "BDC":
                    assert operands[0] == Name.Artifact or "/MCID" in operands[1] or operands[0] == Name.Span
                    inside += 1
                case "EMC":
                    inside -= 1
                case name:
                    assert inside > 0 or name not in PAINTING, f"page {number}: {name}"
        assert inside == 0


def test_the_fields_of_the_signatures_are_in_the_structure_with_words_and_an_appearance(file: Pdf) -> None:
    fields = list(file.Root.AcroForm.Fields)
    assert len(fields) == 2
    assert not bool(file.Root.AcroForm.get("/NeedAppearances", False))
    assert "/XFA" not in file.Root.AcroForm
    forms = [one for one in elements(file) if role_of(file, one) == "/Form"]
    assert len(forms) == 2
    for field in fields:
        assert str(field.TU)
        assert "/StructParent" in field
        assert int(field.F) & 4, "printed"
        assert "/AP" in field


def test_nothing_runs_and_nothing_is_fetched(file: Pdf) -> None:
    for each in file.objects:
        if isinstance(each, Dictionary):
            assert str(each.get("/S")) not in FORBIDDEN_ACTIONS
            assert each.get("/FS") != Name.URL
    assert "/AA" not in file.Root
    assert "/EmbeddedFiles" not in file.Root.get("/Names", {}), "PDF/A-2 takes attachments only where they are PDF/A"


def test_the_fields_of_a_page_are_reached_in_the_order_of_the_structure(file: Pdf) -> None:
    """ISO 14289-1, 7.18.3."""
    assert [str(page.obj.get("/Tabs")) for page in file.pages if "/Annots" in page.obj] == ["/S"]
