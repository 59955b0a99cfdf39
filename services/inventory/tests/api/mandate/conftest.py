"""The letter's own case: the agencies and directives that the tests of the mandate refer to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import Payload, decode, subjects

if TYPE_CHECKING:
    from services.inventory.tests.conftest import Province


class Letter:
    """Letter 1742 with what it carries out, and its obligations."""

    def __init__(self, province: "Province") -> None:
        self.province, self.client = province, province.client
        self.lead: dict[str, Any] = {}
        self.operator: dict[str, Any] = {}
        self.directives: dict[str, dict[str, Any]] = {}

    async def write(self) -> None:
        """Agencies of five roles, three directives."""
        issuers = {"597": "steering_committee", "1407": "ministry", "1742": "peoples_committee"}
        numbers = {"597": "597/CĐ-BCĐ", "1407": "1407/BTTTT-CVT", "1742": "1742/UBND-VX"}
        self.lead = await self.province.agency(code="STTTT", name="Sở TT&TT", role="lead")
        self.operator = await self.province.agency(code="VIETTEL", name="Viettel Quảng Trị", role="operator")
        above: dict[str, Any] = {}
        for day, (short, role) in enumerate(issuers.items(), 5):
            issuer = await self.province.agency(role=role)
            body = {"number": numbers[short], "issued_on": f"2021-05-0{day}", "issuer_id": issuer["id"]}
            body |= {"subject": "Kết nối camera", **above}
            self.directives[short] = await self.province.post("/v1/directives", body)
            above = {"implements_id": self.directives[short]["id"]}

    async def obligation(self, **given: Any) -> dict[str, Any]:
        body = {
            "code": "NV-1742-B",
            "name": "Kết nối với hệ thống giám sát tập trung",
            "kind": "connection",
            "directive_id": self.directives["1742"]["id"],
            "responsible_agency_id": self.operator["id"],
            "due_before": "2021-05-10",
        }
        return await self.province.post("/v1/obligations", body | given)

    async def do(self, path: str, body: dict[str, Any], **query: Any) -> httpx.Response:
        """POST a verb with the present ETag of what it is about."""
        headers = {"If-Match": await self.province.etag(path.rpartition("/")[0])}
        return await self.client.post(path, json=body, headers=headers, params=query)


@pytest_asyncio.fixture
async def letter(province: "Province") -> AsyncIterator[Letter]:
    made = Letter(province)
    await made.write()
    yield made


@pytest.fixture
def soon() -> Any:
    """Instants from now on, in hours."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    return lambda hours: (now + timedelta(hours=hours)).isoformat()


@pytest.fixture
def last_message(bus: Bus) -> Callable[[str, str], Awaitable[Payload | None]]:
    """Reads the last message about a thing; None while there is none."""

    async def read(noun: str, thing_id: str) -> Payload | None:
        try:
            message = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory(noun, thing_id))
        except NotFoundError:
            return None
        return decode(message.data or b"").data

    return read
