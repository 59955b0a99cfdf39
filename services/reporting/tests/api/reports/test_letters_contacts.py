"""Whom to call about each facility of a report: read when it is asked for, for who may see people, and kept nowhere."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.api.mandate.test_progress import Story
from services.reporting.tests.api.reports.test_frozen_register import frozen, story
from services.reporting.tests.urging.test_letter import paragraphs
from sqlalchemy import text

from vonggac.auth import Role
from vonggac.events.inventory import RemovedV1

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from vonggac.bus import Bus
    from vonggac.database import Database

__all__ = ("story",)
LONG_AGO = date(2021, 5, 1)


@pytest.fixture
async def in_office(story: Story, province: Province, bus: Bus) -> Story:
    """One in office at A, one who was, and somebody whom the register has removed."""
    letter = story.letter
    now = letter.focal_point(story.a, LONG_AGO, full_name="Lê Thị Mẫu", phone="0912345678")
    was = letter.focal_point(story.a, LONG_AGO, date(2021, 6, 1), full_name="Trần Văn Cũ")
    gone = letter.focal_point(story.b, LONG_AGO, full_name="Phạm Văn Xóa")
    removed = RemovedV1(
        id=gone.id, noun="focal_point", revision=2, removed_at=letter.begin + timedelta(days=9), removed_by="lead"
    )
    events = (province.stated("focal_point", one) for one in (now, was, gone, removed))
    await province.publish(bus, *events)
    return story


async def test_letters_have_name_post_and_phone_of_who_is_in_office_now(
    client: Client, in_office: Story, database: Database
) -> None:
    body, _ = await frozen(client)
    found = (await client.get(f"/v1/reports/{body['id']}/contacts")).json()
    lines = {one["facility_code"]: one for one in found["items"]}
    expected = {"full_name": "Lê Thị Mẫu", "position": "Trưởng trạm", "phone": "0912345678"}
    assert lines[in_office.a.code]["contacts"] == [expected]
    assert (lines[in_office.b.code]["contacts"], found["note"]) == ([], None)
    assert all(one["agency_name"] for one in found["items"])
    async with database.transaction() as session:
        kept = (await session.execute(text("select state::text from register_record"))).scalars()
        assert not [state for state in kept if state is not None and "Lê Thị Mẫu" in state]


async def test_letters_list_agencies_alone_for_who_may_not_see_people_and_say_so(
    client: Client, in_office: Story, token_for: Callable[..., str]
) -> None:
    assert in_office.cameras
    body, _ = await frozen(client)
    service = {"Authorization": f"Bearer {token_for(Role.SERVICE)}"}
    found = (await client.get(f"/v1/reports/{body['id']}/contacts", headers=service)).json()
    assert {one["contacts"] for one in found["items"]} == {None}
    assert "read_people" in found["note"]
    assert "chỉ nêu cơ quan" in found["note_vi"]
    printed = await client.get(f"/v1/reports/{body['id']}/contacts.docx", headers=service)
    lines = paragraphs(printed.content)
    assert any("chỉ nêu cơ quan" in line for line in lines)
    assert not any("Lê Thị Mẫu" in line or "0912345678" in line for line in lines)


async def test_letters_go_with_a_printed_list_by_agency_with_who_is_responsible(
    client: Client, in_office: Story
) -> None:
    body, _ = await frozen(client)
    printed = await client.get(f"/v1/reports/{body['id']}/contacts.docx")
    lines = paragraphs(printed.content)
    assert {"Lê Thị Mẫu", "0912345678", "Chưa cử đầu mối", "DANH SÁCH ĐẦU MỐI CỦA CÁC CƠ SỞ"} <= set(lines)
    assert any("(Sở Thông tin và Truyền thông)" in line for line in lines)
    assert not any("Trần Văn Cũ" in line or "Phạm Văn Xóa" in line for line in lines)
    assert printed.headers["cache-control"] == "no-store"
    assert in_office.cameras
