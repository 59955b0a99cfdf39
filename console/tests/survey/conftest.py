"""Surveys that wait for their findings, in a real register; the console before it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest_asyncio
from console.tests.conftest import Browser, running_console
from console.tests.forms.conftest import issuer, register_address, register_url
from fastapi import FastAPI

from inventory.domain.places.areas import REQUIRED_AREAS
from local.issuer.settings import IssuerSettings
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.embedded import NatsServer

__all__ = ["issuer", "register_address", "register_url"]
type Json = dict[str, Any]
BRIEFED = {
    "briefed_by": "Trần Thị An",
    "briefed_at": "2021-05-08T08:00:00+07:00",
    "briefing_document": "12/TYT",
    "briefing_signed_on": "2021-05-08",
    "briefing_file": "12-TYT.pdf",
    "rules_version": "Quyết định 878/QĐ-BYT ngày 12/3/2020",
    "acknowledged_by": "Lê Kỹ Thuật",
    "acknowledged_at": "2021-05-08T08:05:00+07:00",
}
FINDINGS = {
    "surveyed_on": "2021-05-08",
    "verdict": "needs_config",
    "verdict_reason": "Chưa bật RTSP",
    "form.site.rooms": "24",
    "form.system.kind": "ip",
    "form.system.cameras.0.code": "QT-01-C01",
    "form.infrastructure.up_mbps": "20",
    "form.notice_board": "true",
    "form.access.entry_rule": "Không vào khu phòng cách ly",
    **{
        name: text
        for row, area in enumerate(REQUIRED_AREAS)
        for name, text in ((f"form.areas.{row}.area", area), (f"form.areas.{row}.coverage", "not_covered"))
    },
    **{
        name: text
        for row, code in enumerate(("STTTT", "VIETTEL-QT", "SYT"))
        for name, text in (
            (f"participants.{row}.full_name", f"Ông {code}"),
            (f"participants.{row}.agency_id", code),
            (f"participants.{row}.present_on", "2021-05-08"),
        )
    },
}
"""A whole form, as it is typed into the inputs."""


class Sites:
    """Facilities whose surveys are in progress; made by the lead."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._unit = self._agency = ""

    async def survey(self, code: str = "KS-01", **facility: object) -> Json:
        """The survey of one more facility, whose team was briefed and went in."""
        if not self._unit:
            self._unit = (await self._add("units", code="45", name="Quảng Trị", level="province"))["id"]
            for role, name in (("lead", "STTTT"), ("operator", "VIETTEL-QT"), ("managing", "SYT")):
                self._agency = (await self._add("agencies", code=name, name=name, role=role))["id"]
        body = {"code": f"KCL-{code}", "name": f"Khu cách ly {code}", "type": "school", "unit_id": self._unit}
        made = await self._add("facilities", **body | {"managing_agency_id": self._agency} | facility)
        survey = await self._add("surveys", code=code, facility_id=made["id"], lead_name="Nguyễn Văn Mẫu")
        await self.move(survey["id"], "assigned")
        await self.change(survey["id"], scheduled_on="2021-05-08")
        await self.move(survey["id"], "scheduled")
        await self.change(survey["id"], **BRIEFED)
        await self.move(survey["id"], "in_progress")
        return survey

    async def read(self, survey: str, part: str = "") -> Json:
        answer = await self.client.get(f"/v1/surveys/{survey}{part}")
        assert answer.status_code == httpx.codes.OK, answer.text
        found: Json = answer.json()
        return found

    async def move(self, survey: str, to: str, reason: str = "thử") -> None:
        await self._send("POST", survey, "/transitions", {"to": to, "reason": reason})

    async def change(self, survey: str, **fields: object) -> None:
        await self._send("PATCH", survey, "", fields)

    async def _send(self, method: str, survey: str, part: str, body: object) -> None:
        etag = (await self.client.get(f"/v1/surveys/{survey}")).headers["etag"]
        path, headers = f"/v1/surveys/{survey}{part}", {"If-Match": etag}
        params = {"reason": "thử"} if method == "PATCH" else {}
        answer = await self.client.request(method, path, json=body, headers=headers, params=params)
        assert answer.is_success, answer.text

    async def _add(self, noun: str, **fields: object) -> Json:
        answer = await self.client.post(f"/v1/{noun}", json=fields)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: Json = answer.json()
        return made


@pytest_asyncio.fixture
async def sites(register_address: str, token_for: Callable[..., str]) -> AsyncIterator[Sites]:
    headers = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    async with httpx.AsyncClient(base_url=register_address, headers=headers, trust_env=False) as client:
        yield Sites(client)


@pytest_asyncio.fixture
async def app(
    nats_server: NatsServer, bus: Bus, issuer: IssuerSettings, register_address: str
) -> AsyncIterator[FastAPI]:
    """The console before the register alone."""
    async with running_console(nats_server, issuer, inventory_url=register_address, part_timeout_s=20) as made:
        yield made


@pytest_asyncio.fixture
async def technician(app: FastAPI) -> AsyncIterator[Browser]:
    """The operator, signed in."""
    browser = Browser(app)
    await browser.sign_in("vận hành", to="/register")
    yield browser
    await browser.close()
