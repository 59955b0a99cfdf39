"""What a closed facility leaves of people is kept for its days, listed when due, and purged by two persons (R23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import NullPool, create_engine, text

from inventory.settings import Settings
from vonggac.auth import Role

NAMES = ("Trần Văn Đầu Mối", "0233 3852 123", "Bảo Vệ Cổng", "0233 3852 456", "Bác Sĩ Trực")
PEOPLE = {"lead": "Lê Văn Hỏi", "chairman": "Hoàng Văn Quyết"}
EVERYWHERE = (
    "focal_points", "focal_points_history", "visits", "visits_history", "surveys", "surveys_history", "changes",
)  # fmt: skip


class Closed:
    """A facility with people, a link and a login, which is closed."""

    def __init__(self, province: Any, token_for: Callable[..., str], settings: Settings) -> None:
        self.province, self.token_for, self.settings = province, token_for, settings
        self.facility: dict[str, Any] = {}

    async def call(self, subject: str, role: Role, method: str, path: str, body: Any = None) -> Any:
        token = self.token_for(role, subject=subject, name=PEOPLE.get(subject, ""), post="Trưởng phòng")
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        return await self.province.client.request(method, path, json=body, headers=headers)

    async def prepare(self) -> None:
        province = self.province
        self.facility = await province.facility()
        of = {"facility_id": self.facility["id"]}
        person = {"full_name": NAMES[0], "position": "Phó phòng", "phone": NAMES[1], "valid_from": "2021-05-07"}
        await province.post("/v1/focal-points", of | person)
        team = await province.post(
            "/v1/teams", {"code": "T1", "name": "Tổ 1", "agency_id": self.facility["managing_agency_id"]}
        )
        times = {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T10:00:00+07:00"}
        visit = {"team_id": team["id"], "purpose": "survey", "gate_contact": NAMES[2], "gate_phone": NAMES[3], **times}
        await province.post("/v1/visits", of | visit)
        people = [{"full_name": NAMES[4], "agency_id": self.facility["managing_agency_id"]}]
        await province.post("/v1/surveys", of | {"code": "KS-1", "lead_name": NAMES[4], "participants": people})
        link = {"for_whom": NAMES[0]}
        await province.post(f"/v1/facilities/{self.facility['id']}/links", link)
        camera = await province.camera(facility_id=self.facility["id"])
        login = {"username": "admin", "password": "Mat-khau-1"}
        sent = await self.call("lead", Role.PROVINCE_LEAD, "PUT", f"/v1/cameras/{camera['id']}/secret", login)
        assert sent.status_code < 300, sent.text

    async def close(self) -> None:
        for to in ("suspended", "closed"):
            path = f"/v1/facilities/{self.facility['id']}/transitions"
            moved = await self.call("lead", Role.PROVINCE_LEAD, "POST", path, {"to": to, "reason": "hết người"})
            assert moved.status_code == 200, moved.text

    def age(self, days: int) -> None:
        """Let the closing be so many days ago."""
        with self.engine() as connection:
            aged = "update facilities_history set recorded_to = recorded_to - :days * interval '1 day', "
            aged += "recorded_from = recorded_from - :days * interval '1 day'"
            connection.execute(text(aged), {"days": days})

    def engine(self) -> Any:
        return create_engine(self.settings.database_url.get_secret_value(), poolclass=NullPool).begin()

    def message_of_link(self) -> Any:
        """The newest of a link."""
        query = "select convert_from(body, 'UTF8') from outbox where subject like '%facility_link%' "
        with self.engine() as connection:
            return json.loads(connection.execute(text(query + "order by id desc limit 1")).scalar_one())

    async def ask(self, subject: str = "lead") -> Any:
        body = {"act": "purge", "facility_id": self.facility["id"], "reason": "hết thời hạn lưu"}
        return await self.call(subject, Role.PROVINCE_LEAD, "POST", "/v1/decision-requests", body)

    async def grant(self, request: Any, subject: str = "chairman") -> Any:
        path = f"/v1/decision-requests/{request.json()['id']}/decision"
        return await self.call(subject, Role.DECIDER, "POST", path, {"decision": "granted"})

    async def due(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.call("lead", Role.PROVINCE_LEAD, "GET", f"/v1/due-purges{query}")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def find_names(self) -> set[tuple[str, str]]:
        with self.engine() as connection:
            return {
                (table, name)
                for table in EVERYWHERE
                for name in NAMES
                if connection.scalar(
                    text(f"select count(*) from {table} one where to_jsonb(one)::text like :name"),  # noqa: S608
                    {"name": f"%{name}%"},
                )
            }


@pytest_asyncio.fixture
async def closed(province: Any, token_for: Callable[..., str], settings: Settings) -> Closed:
    made = Closed(province, token_for, settings)
    await made.prepare()
    return made


async def test_the_clock_begins_when_the_facility_is_closed_and_nothing_is_purged_before(closed: Closed) -> None:
    assert await closed.due() == []
    early = await closed.grant(await closed.ask())
    assert (early.status_code, early.json()["code"]) == (409, "not_due"), early.text
    assert "chưa đóng" in early.json()["detail_vi"]
    await closed.close()
    (waiting,) = await closed.due()
    assert (waiting["due"], waiting["retention_days"]) == (False, 365)
    assert await closed.due("?due_only=true") == []
    refused = await closed.grant(await closed.ask())
    assert (refused.status_code, refused.json()["code"]) == (409, "not_due")
    assert waiting["due_on"] in refused.json()["detail"]
    assert "365 ngày" in refused.json()["detail_vi"]


async def test_what_is_due_is_purged_by_two_persons_and_only_its_numbers_stay(closed: Closed) -> None:
    await closed.close()
    closed.age(366)
    (due,) = await closed.due("?due_only=true")
    counts = {one["kind"]: one["count"] for one in due["leaves"]}
    assert [one["what"] for one in due["stays"]] == ["free_text", "import_rows", "actors", "reporting", "backups"]
    assert counts == {
        "focal_points": 1, "visits": 1, "surveys": 1, "survey_files": 0, "links": 1, "camera_logins": 1,
    }  # fmt: skip
    assert closed.find_names()
    request = await closed.ask()
    assert request.status_code == 201, request.text
    own = await closed.call(
        "lead",
        Role.PROVINCE_LEAD,
        "POST",
        f"/v1/decision-requests/{request.json()['id']}/decision",
        {"decision": "granted"},
    )
    assert (own.status_code, own.json()["code"]) == (403, "own_request"), own.text
    granted = await closed.grant(request)
    assert granted.status_code == 200, granted.text
    assert closed.find_names() == set()
    assert await closed.due() == []
    (purge,) = (await closed.call("lead", Role.PROVINCE_LEAD, "GET", "/v1/purges")).json()["items"]
    assert {one["kind"]: one["count"] for one in purge["purged"]} == counts
    assert purge["stays"] == due["stays"]
    assert closed.message_of_link()["data"]["noun"] == "facility_link", "who reads the bus learns that it is gone"
    assert (purge["asked_by"], purge["decided_by"], purge["reason"]) == ("lead", "chairman", "hết thời hạn lưu")
    assert {field: one["name"] for field, one in purge["named"].items()} == {
        "asked_by": "Lê Văn Hỏi",
        "decided_by": "Hoàng Văn Quyết",
    }
    cameras = (await closed.call("lead", Role.PROVINCE_LEAD, "GET", "/v1/cameras")).json()["items"]
    assert [one["has_secret"] for one in cameras] == [False]
    (point,) = (await closed.call("lead", Role.PROVINCE_LEAD, "GET", "/v1/focal-points")).json()["items"]
    assert (point["full_name"], point["phone"]) == ("(đã xóa)", "(đã xóa)")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.READER, Role.AUTHORITY])
async def test_nobody_else_decides_a_purge(closed: Closed, role: Role) -> None:
    request = await closed.ask()
    path = f"/v1/decision-requests/{request.json()['id']}/decision"
    refused = await closed.call("other", role, "POST", path, {"decision": "granted"})
    assert refused.status_code == 403, refused.text
