"""A caller reads tables, figures, evidence and totals of the facilities that he sees, and no trace of the others."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from reporting.tables.catalogue import SOURCES
from vonggac.auth import Role
from vonggac.events.inventory import UnitV1
from vonggac.events.inventory.places import EarlierUnit

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": "2026-11-20T07:00:00+07:00", "to": "2026-11-21T07:00:00+07:00"}
COMMON = {"lost_facts"}
"""Tables that hold nothing of a facility."""


class Sites:
    """Two facilities, `open` of one unit and agency and a restricted one of another, each with a camera that failed."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.district, self.unit, self.agency, self.secret = uuid4(), uuid4(), uuid4(), uuid4()
        self.old_district, self.old_unit = uuid4(), uuid4()
        self.mine = province.camera("CAM-OPEN")
        self.hidden = province.camera("CAM-SECRET", facility_id=self.secret)

    async def feed(self, ingest: Ingest) -> None:
        province, end = self.province, DAY + timedelta(days=1)
        state: dict[str, Any] = {"revision": 1, "changed_at": DAY - timedelta(days=9), "created_at": DAY}
        followed = EarlierUnit(unit_id=self.old_unit, kind="renamed")
        commune = UnitV1(id=self.unit, code="466", name="Xã", parent_id=self.district, succeeds=(followed,), **state)
        ended = {**state, "valid_to": date(2021, 6, 30)}
        earlier = UnitV1(id=self.old_unit, code="465", name="Xã cũ", parent_id=self.old_district, **ended)
        above = UnitV1(id=self.old_district, code="464", name="Huyện cũ", **ended)
        secret = province.facility_state(
            id=self.secret,
            code="KCL-SECRET",
            name="Sư đoàn",
            restricted=True,
            unit_id=self.unit,
            managing_agency_id=self.agency,
        )
        facts = [
            *province.base(code="KCL-OPEN"),
            *(province.stated("unit", unit) for unit in (commune, earlier, above)),
            province.stated("facility", secret),
        ]
        for camera in (self.mine, self.hidden):
            window = province.window(DAY + timedelta(hours=5), DAY + timedelta(hours=6), camera_id=camera.id)
            facts += [province.stated("camera", camera), province.stated("maintenance_window", window)]
        await province.feed(ingest, *facts)
        seen = []
        for camera in (self.mine, self.hidden):
            seen += province.probes(camera, DAY, DAY + timedelta(hours=2), every_s=600)
            seen += province.probes(camera, DAY + timedelta(hours=2), end, "down", cause="timeout", every_s=600)
            seen += [province.change(one, camera, 1, DAY, "acknowledged") for one in camera.deliveries]
        await province.feed(ingest, *seen, *province.watched(end))

    @property
    def secrets(self) -> list[str]:
        """What names the restricted one."""
        ids = [self.secret, self.hidden.id, *(one.id for one in self.hidden.deliveries)]
        return ["KCL-SECRET", "CAM-SECRET", *map(str, ids)]


@pytest_asyncio.fixture
async def sites(ingest: Ingest, province: Province) -> Sites:
    made = Sites(province)
    await made.feed(ingest)
    return made


def callers(sites: Sites) -> list[tuple[Role, tuple[str, ...], bool, bool]]:
    """Role and scope, and whether the open and the restricted facility are seen."""
    return [
        (Role.AUTHORITY, (), True, True),
        (Role.READER, (), True, False),
        (Role.AUTHORITY, (f"facility:{sites.province.facility}",), True, False),
        (Role.MANAGING_AGENCY, (f"agency:{sites.agency}",), False, True),
        (Role.READER, (f"agency:{sites.agency}",), False, False),
        (Role.AUTHORITY, (f"unit:{sites.district}",), False, True),
        (Role.AUTHORITY, (f"unit:{sites.old_district}",), False, True),
        (Role.FACILITY, (f"facility:{uuid4()}",), False, False),
    ]


async def test_every_table_is_of_what_the_caller_sees(start: Start, client: Client, sites: Sites) -> None:
    for role, scope, mine, secret in callers(sites):
        async with start(role=role, scope=scope) as caller:
            for name, source in SOURCES.items():
                answer = await caller.get(f"/v1/tables/{name}", params=PERIOD if source.table.periodic else {})
                if name == "urges" and (scope or role is Role.READER):
                    # Letters are of the whole province, military sites included.
                    assert answer.status_code == 403, answer.text
                    continue
                assert answer.status_code == 200, answer.text
                for shown, words in ((mine, ["KCL-OPEN", "CAM-OPEN"]), (secret, sites.secrets)):
                    said = any(word in answer.text for word in words)
                    assert shown or not said, (role, scope, name)
                if name in {"cameras", "camera_days", "facts", "outages", "camera_intervals"}:
                    assert ("KCL-OPEN" in answer.text, "KCL-SECRET" in answer.text) == (mine, secret), (role, name)
                    assert mine or secret or answer.json() == []


async def test_figures_are_sums_of_what_is_seen(start: Start, client: Client, sites: Sites) -> None:
    for role, scope, mine, secret in callers(sites):
        count = mine + secret
        async with start(role=role, scope=scope) as caller:
            compliance = (await caller.get("/v1/compliance", params=PERIOD)).json()
            overview = (await caller.get("/v1/overview", params=PERIOD)).json()
            availability = (await caller.get("/v1/availability", params=PERIOD)).json()["items"]
            outages = (await caller.get("/v1/outages", params=PERIOD)).json()
            national = (await caller.get("/v1/national", params=PERIOD | {"total": "true"})).json()
            windows = (
                await caller.get("/v1/maintenance", params={"from": "2026-11-01T00:00:00Z", "total": "true"})
            ).json()
        assert len(compliance["cameras"]) == overview["cameras"]["total"] == national["total"] == count
        assert [line["cameras"] for line in availability] in ([count], [] if not count else [count])
        # The agreed maintenance cuts each outage in two.
        assert (outages["count"], windows["total"]) == (2 * count, count)
        assert (len(outages["items"]), len(windows["items"])) == (2 * count, count)


async def test_what_is_hidden_answers_as_what_never_was(start: Start, client: Client, sites: Sites) -> None:
    def paths(camera: UUID | str, delivery: UUID | str, facility: UUID | str) -> list[str]:
        return [
            f"/v1/cameras/{camera}/intervals",
            f"/v1/cameras/{camera}/intervals?format=csv",
            f"/v1/deliveries/{delivery}/intervals",
            f"/v1/cameras/{camera}/formats",
            f"/v1/progress/facilities/{facility}",
            f"/v1/compliance?facility={facility}",
            f"/v1/obligations.ics?facility={facility}",
            f"/v1/outages?camera={camera}",
            f"/v1/late-evidence?camera={camera}",
            f"/v1/maintenance?camera={camera}",
            f"/v1/maintenance?facility={facility}",
            f"/v1/charts/strips.svg?camera={camera}",
        ]

    hidden = paths(sites.hidden.id, sites.hidden.deliveries[0].id, sites.secret)
    never = paths(nobody := uuid4(), nobody, nobody)
    async with start(role=Role.READER) as reader:
        for there, nowhere in zip(hidden, never, strict=True):
            one, other = await reader.get(there), await reader.get(nowhere)
            assert one.status_code == other.status_code in {404, 422}, there
            assert _bare(one.json()) == _bare(other.json())
        by_code = await reader.get("/v1/compliance?facility=KCL-SECRET")
        assert (by_code.status_code, "unknown" in by_code.text or "is known" in by_code.text) == (422, True)
    async with start(role=Role.AUTHORITY) as authority:
        for there in hidden:
            assert (await authority.get(there)).status_code == 200, there


def _bare(problem: dict[str, Any]) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", f"{problem['title']} {problem['detail']} {problem['code']}")


async def test_a_site_that_is_made_restricted_is_hidden_with_its_past(
    start: Start, client: Client, sites: Sites, ingest: Ingest, province: Province
) -> None:
    async with start(role=Role.READER) as reader:
        assert len((await reader.get("/v1/compliance", params=PERIOD)).json()["cameras"]) == 1
        now = province.facility_state(code="KCL-OPEN", revision=2, restricted=True, changed_at=DAY + timedelta(days=3))
        await province.feed(ingest, province.stated("facility", now))
        assert (await reader.get("/v1/compliance", params=PERIOD)).json()["cameras"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/reports"), ("POST", "/v1/reports"), ("GET", "/v1/metrics/compliance"), ("GET", "/v1/notices"),
     ("GET", "/v1/webhooks"), ("GET", f"/v1/charts/strips.svg?report={UUID(int=7)}")],
)  # fmt: skip
async def test_what_cannot_be_narrowed_is_refused_to_a_scope_in_a_clear_sentence(
    start: Start, client: Client, method: str, path: str
) -> None:
    async with start(role=Role.PROVINCE_LEAD, scope=(f"facility:{uuid4()}",)) as caller:
        answer = await caller.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_too_narrow")
    assert "the token is for a part of the province" in answer.json()["detail"]
