"""A duty of the operator, and callers of every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from vonggac.auth import Role
from vonggac.auth.rights import NEED_SCOPE

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

type Json = dict[str, Any]


class Duty:
    """A facility with a camera, and an obligation that its operator owes."""

    def __init__(self, letter: Letter, token_for: Callable[..., str]) -> None:
        self.letter, self.province, self.token_for = letter, letter.province, token_for
        self.facility: Json = {}
        self.camera: Json = {}
        self.centre: Json = {}
        self.elsewhere: Json = {}
        self.obligation: Json = {}
        self.province_id = ""

    async def prepare(self) -> None:
        above = await self.province.unit(name="Tỉnh Quảng Trị", level="province")
        self.province_id = above["id"]
        unit = await self.province.unit(parent_id=above["id"])
        self.facility = await self.province.facility(unit_id=unit["id"])
        self.camera = await self.province.camera(facility_id=self.facility["id"])
        self.centre = await self.province.destination(
            required_proof="verified", read_back_url_template="rtsp://10.9.0.1:8554/back/{camera_code}"
        )
        self.elsewhere = await self.province.facility(unit_id=unit["id"], status="planned")
        self.obligation = await self.letter.obligation()

    @property
    def path(self) -> str:
        return f"/v1/obligations/{self.obligation['id']}"

    def headers(self, role: Role) -> dict[str, str]:
        scope = (f"facility:{self.facility['id']}",) if role in NEED_SCOPE else ()
        return {"Authorization": f"Bearer {self.token_for(role, *scope)}"}

    async def call(
        self, role: Role, method: str, path: str, body: Any = None, *, person: str | None = None, **query: Any
    ) -> httpx.Response:
        """As `role`, or as another person of that role, with the present ETag where a change wants one."""
        headers = self.headers(role) | {"If-Match": "*"}
        if person is not None:
            headers["Authorization"] = f"Bearer {self.token_for(role, subject=person)}"
        answer: httpx.Response = await self.province.client.request(
            method, path, json=body, headers=headers, params=query
        )
        return answer

    async def ask(self, role: Role, **body: Any) -> httpx.Response:
        """A request for a decision."""
        asked = {"reason": "Đường truyền hỏng do bão"} | body
        return await self.call(role, "POST", "/v1/decision-requests", asked)

    async def decide(self, role: Role, request: Json, decision: str, **body: Any) -> httpx.Response:
        path = f"/v1/decision-requests/{request['id']}/decision"
        return await self.call(role, "POST", path, {"decision": decision} | body)


@pytest_asyncio.fixture
async def duty(letter: Letter, token_for: Callable[..., str]) -> Duty:
    made = Duty(letter, token_for)
    await made.prepare()
    return made


@pytest.fixture
def refused() -> Callable[[httpx.Response], None]:
    """Check that an answer says which duty, who holds it and what would be right, in both languages."""

    def check(answer: httpx.Response) -> None:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (403, "forbidden"), answer.text
        for said in (problem["detail"], problem["detail_vi"]):
            assert "'province_lead'" in said, said
            assert "'decider'" in said, said
        assert "thuộc quyền của đơn vị chủ trì" in problem["detail_vi"]

    return check
