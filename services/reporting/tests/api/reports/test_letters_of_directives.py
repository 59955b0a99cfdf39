"""Head, addressees, recipients, place and signer of a paper are data of the directive that it carries out (R22)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.api.mandate.test_progress import Story
from services.reporting.tests.api.reports.test_frozen_register import frozen, story
from services.reporting.tests.stage.letter import may
from services.reporting.tests.urging.test_letter import paragraphs

from reporting.reports.snapshot.of_register import recipient_line
from vonggac.events.inventory import DirectiveV1, LetterheadV1, RecipientGroup, RecipientSight, RecipientV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

__all__ = ("story",)
HEAD = LetterheadV1(
    addressees=("Ủy ban nhân dân tỉnh Quảng Trị", "Bộ Khoa học và Công nghệ"),
    recipients=(
        RecipientV1(group=RecipientGroup.ADDRESSEES),
        RecipientV1(
            group=RecipientGroup.CHAIRMEN,
            name="Chủ tịch, các PCT UBND tỉnh",
            copies=4,
            sees=RecipientSight.WITHOUT_APPENDICES,
        ),
        RecipientV1(group=RecipientGroup.STEERING_COMMITTEE, name="Ban Chỉ đạo phòng chống COVID-19"),
        RecipientV1(group=RecipientGroup.ARCHIVE, name="VT, BCVT"),
    ),
    place="Đông Hà",
    drafting_unit="BCVT",
    signer_authority="KT. GIÁM ĐỐC",
    signer_title="Phó Giám đốc",
    signer_name="Nguyễn Văn Mẫu",
)


def directive(story: Story) -> DirectiveV1:
    """The letter once more, with what it says of its papers, entered long after its day."""
    return DirectiveV1(
        id=story.letter.directive_id,
        code="1742-UBND-VX-2021",
        number="1742/UBND-VX",
        issuer_id=uuid4(),
        issued_on=date(2021, 5, 7),
        subject="Triển khai khảo sát, kết nối camera giám sát",
        letterhead=HEAD,
        **{**story.letter.known(), "revision": 2, "changed_at": may(25)},
    )


@pytest.fixture
async def ordered(story: Story, province: Province, ingest: Ingest) -> Story:
    await province.feed(ingest, province.stated("directive", directive(story)))
    return story


async def test_letters_take_head_recipients_and_signer_from_the_directive(client: Client, ordered: Story) -> None:
    assert ordered.cameras
    body, _ = await frozen(client)
    found = body["letterhead"]
    assert found["addressees"] == list(HEAD.addressees)
    assert found["copies"] == [
        "Như trên",
        "Chủ tịch, các PCT UBND tỉnh (04 bản, không kèm phụ lục)",
        "Ban Chỉ đạo phòng chống COVID-19",
        "Lưu: VT, BCVT",
    ]
    signer = ("Đông Hà", "KT. GIÁM ĐỐC", "Phó Giám đốc", "Nguyễn Văn Mẫu")
    assert tuple(found[name] for name in ("place", "signer_authority", "signer_title", "signer_name")) == signer
    printed = paragraphs((await client.get(f"/v1/reports/{body['id']}.docx")).content)
    assert {"- Ban Chỉ đạo phòng chống COVID-19;", "- Lưu: VT, BCVT.", "PHÓ GIÁM ĐỐC"} <= set(printed)


async def test_letters_prefer_what_the_request_says(client: Client, ordered: Story) -> None:
    assert ordered.cameras
    given: dict[str, Any] = {"addressees": ["Bộ Y tế"], "signer_title": "GIÁM ĐỐC", "signer_name": "Trần Thị Mẫu"}
    body, _ = await frozen(client, letterhead=given)
    assert {name: body["letterhead"][name] for name in given} == given
    assert body["letterhead"]["place"] == "Đông Hà"


async def test_letters_that_urge_have_the_unit_place_and_signer_of_the_directive(
    client: Client, ordered: Story
) -> None:
    body = {"agency_id": str(ordered.letter.lead), "level": 2, "reason": "Đã quá hạn"}
    urged = await client.post("/v1/urges", json=body)
    assert urged.status_code == 201, urged.text
    printed = paragraphs((await client.get(f"{urged.headers['location']}/letter.docx")).content)
    expected = {"Số:        /STTTT-BCVT", "KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC", "Nguyễn Văn Mẫu", "- Lưu: VT, BCVT."}
    assert expected <= set(printed)
    assert any(line.startswith("Đông Hà, ngày") for line in printed)
    assert any("báo cáo Ủy ban nhân dân tỉnh Quảng Trị và Bộ Khoa học và Công nghệ" in line for line in printed)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"group": "addressees", "name": None, "copies": 2}, "Như trên (02 bản)"),
        ({"group": "office", "name": "CVP, các PVP", "copies": 1, "sees": "whole"}, "CVP, các PVP"),
        ({"group": "archive", "name": "VT, VX"}, "Lưu: VT, VX"),
    ],
)
def test_letters_say_of_a_copy_how_many_and_what_it_lacks(given: dict[str, Any], line: str) -> None:
    assert recipient_line(given) == line
