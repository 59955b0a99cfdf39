"""A facility on its way: agencies of each role, a survey, a plan."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from inventory.domain.places.areas import REQUIRED_AREAS

type Json = dict[str, Any]


def declaration(content: bytes, **given: Any) -> Json:
    """How a content is declared."""
    sha256 = hashlib.sha256(content).hexdigest()
    size = len(content)
    return {"sha256": sha256, "name": "anh.jpg", "media_type": "image/jpeg", "size_bytes": size} | given


class Field:
    """What a team does, through the API."""

    def __init__(self, province: Any) -> None:
        self.province, self.client = province, province.client
        self.facility: Json = {}
        self.agencies: dict[str, Json] = {}

    async def prepare(self, lead: Json | None = None, **facility: Any) -> None:
        """Agencies of each role, the lead's unless it is given, and a facility of the managing one."""
        roles = {"lead": "STTTT", "operator": "VIETTEL-QT", "managing": "SYT"}
        for role, code in roles.items():
            known = lead if role == "lead" else None
            self.agencies[role] = known or await self.province.agency(code=code, name=code, role=role)
        managing = self.agencies["managing"]["id"]
        self.facility = await self.province.facility(managing_agency_id=managing, **facility)

    def participants(self) -> list[Json]:
        """One of each party, with a day."""
        return [
            {"full_name": f"Ông {role}", "agency_id": agency["id"], "present_on": "2021-05-08"}
            for role, agency in self.agencies.items()
        ]

    def findings(self, *contents: bytes, **given: Any) -> Json:
        """Whole findings that declare these contents."""
        areas = [{"area": area, "coverage": "not_covered", "cameras_needed": 1} for area in REQUIRED_AREAS]
        return {
            "surveyed_on": "2021-05-08",
            "participants": self.participants(),
            "verdict": "needs_config",
            "verdict_reason": "Chưa bật RTSP",
            "form": {
                "site": {"rooms": 24},
                "areas": areas,
                "system": {"kind": "ip", "cameras": [{"code": "QT-01-C01"}]},
                "infrastructure": {"up_mbps": 20},
                "notice_board": True,
                "access": {"entry_rule": "Không vào khu phòng cách ly"},
            },
            "attachments": [declaration(content) for content in contents],
        } | given

    async def survey(self, **given: Any) -> Json:
        """A survey that nobody has begun."""
        body = {"code": "KS-01", "facility_id": self.facility["id"], "lead_name": "Nguyễn Văn Mẫu"}
        made: Json = await self.province.post("/v1/surveys", body | given)
        return made

    async def survey_in_progress(self, **given: Any) -> Json:
        """A survey whose team was briefed and went in."""
        made = await self.survey(**given)
        one = f"/v1/surveys/{made['id']}"
        await self.move(one, "assigned")
        await self.change(one, {"scheduled_on": "2021-05-08"})
        await self.move(one, "scheduled")
        await self.brief(one)
        return await self.move(one, "in_progress")

    async def brief(self, one: str) -> None:
        """The safety briefing and its acknowledgement (R16)."""
        briefing = {
            "briefed_by": "Trần Thị An",
            "briefed_at": "2021-05-08T08:00:00+07:00",
            "briefing_document": "12/TYT",
            "briefing_signed_on": "2021-05-08",
            "briefing_file": "12-TYT.pdf",
            "rules_version": "Quyết định 878/QĐ-BYT ngày 12/3/2020",
            "acknowledged_by": "Lê Kỹ Thuật",
            "acknowledged_at": "2021-05-08T08:05:00+07:00",
        }
        await self.change(one, briefing)

    async def survey_approved(self, **given: Any) -> Json:
        """A survey that makes the facility surveyed."""
        made = await self.survey_in_progress()
        one = f"/v1/surveys/{made['id']}"
        await self.change(one, self.findings(**given))
        await self.move(one, "submitted")
        return await self.move(one, "approved")

    def plan_body(self, *connections: tuple[str, str], **given: Any) -> Json:
        """A plan that connects cameras to destinations, by their codes."""
        cameras: dict[str, list[str]] = {}
        for camera, destination in connections:
            cameras.setdefault(camera, []).append(destination)
        return {
            "facility_id": self.facility["id"],
            "connections": [
                {"camera_code": code, "address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": codes}
                for code, codes in cameras.items()
            ],
            "connect_by": "2021-05-09",
            "responsible_lead": "Nguyễn Văn Mẫu",
            "responsible_operator": "Lê Kỹ Thuật",
        } | given

    async def consents(self, one: str) -> None:
        """The word of lead, operator and managing agency."""
        for role, agency in self.agencies.items():
            kind = "consulted" if role == "managing" else "agreed"
            answer = await self.consent(one, agency["id"], kind)
            assert answer.status_code == 200, answer.text

    async def consent(self, one: str, agency_id: str, kind: str) -> httpx.Response:
        """One agency's word."""
        body = {"agency_id": agency_id, "kind": kind, "given_by": "Phó Giám đốc", "given_on": "2021-05-08"}
        body |= {"document": "12/BB", "document_file": "van-thu/12-BB.pdf"}
        headers = {"If-Match": await self.province.etag(one)}
        answer: httpx.Response = await self.client.post(f"{one}/consents", json=body, headers=headers)
        return answer

    async def agree(self, plan: Json) -> Json:
        """Take a draft to agreed."""
        one = f"/v1/connection-plans/{plan['id']}"
        await self.move(one, "proposed")
        await self.consents(one)
        return await self.move(one, "agreed")

    async def change(self, one: str, body: Json) -> Json:
        answer = await self.try_change(one, body)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    async def try_change(self, one: str, body: Json) -> httpx.Response:
        """A change that may be refused."""
        headers = {"If-Match": await self.province.etag(one)}
        answer: httpx.Response = await self.client.patch(one, json=body, headers=headers, params={"reason": "bổ sung"})
        return answer

    async def move(self, one: str, to: str, reason: str | None = None) -> Json:
        answer = await self.try_move(one, to, reason)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    async def try_move(
        self, one: str, to: str, reason: str | None = None, client: httpx.AsyncClient | None = None
    ) -> httpx.Response:
        """A transition that may be refused."""
        body = {"to": to} | ({"reason": reason} if reason is not None else {})
        headers = {"If-Match": await self.province.etag(one)}
        headers |= self.province.eyes_for(to) if client is None else {}
        answer: httpx.Response = await (client or self.client).post(f"{one}/transitions", json=body, headers=headers)
        return answer


@pytest.fixture
def field(province: Any) -> Field:
    return Field(province)


@pytest.fixture
def as_role(client: httpx.AsyncClient, token_for: Callable[[Any], str]) -> Callable[[Any], httpx.AsyncClient]:
    """A client with another role at the same running app."""

    def become(role: Any) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token_for(role)}"}
        transport = client._transport  # the same app in process
        return httpx.AsyncClient(
            transport=transport, base_url="http://inventory", headers=headers
        )  # the same app in process

    return become
