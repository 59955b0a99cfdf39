"""A province of three facilities, each with one of everything; every text of a facility has its mark in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Engine, text

from vonggac.auth import Role

type Json = dict[str, Any]

PHONES = {"open": "0911000001", "other": "0911000002", "secret": "0911000003"}


@dataclass
class Site:
    """One facility with all that is its own: `things` by the path of their noun."""

    mark: str
    agency: Json
    unit: Json
    facility: Json
    things: dict[str, Json] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        return {thing["id"] for thing in self.things.values()}


@dataclass
class World:
    """`open` and `secret` (restricted) lie in one district and are managed by one agency, `other` elsewhere."""

    province: Any
    sites: dict[str, Site]
    team: Json
    token_for: Callable[..., str]

    def headers(self, role: Role, *parts: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token_for(role, *parts)}"}

    @contextmanager
    def as_caller(self, role: Role, *parts: str) -> Iterator[httpx.AsyncClient]:
        """The client, with another token meanwhile."""
        client: httpx.AsyncClient = self.province.client
        before = client.headers["Authorization"]
        client.headers.update(self.headers(role, *parts))
        try:
            yield client
        finally:
            client.headers["Authorization"] = before

    @property
    def scopes(self) -> Mapping[str, tuple[tuple[str, ...], set[str]]]:
        """Kinds of scopes, each with the names of the sites that it covers."""
        sites = self.sites
        return {
            "whole": ((), {"open", "other", "secret"}),
            "facility": ((f"facility:{sites['open'].facility['id']}",), {"open"}),
            "agency": ((f"agency:{sites['other'].agency['id']}",), {"other"}),
            "unit": ((f"unit:{sites['open'].unit['parent_id']}",), {"open", "secret"}),
            "several": (
                (f"facility:{sites['secret'].facility['id']}", f"agency:{sites['other'].agency['id']}"),
                {"secret", "other"},
            ),
            "nothing": (("facility:00000000-0000-4000-8000-000000000000",), set()),
        }


async def furnish(province: Any, site: Site, team: Json, start: datetime) -> None:
    """One of every noun that belongs to a facility."""
    mark, facility_id = site.mark, site.facility["id"]
    phone = PHONES[mark.removeprefix("dau-")]
    of: Json = {"facility_id": facility_id}

    async def add(path: str, **body: Any) -> Json:
        site.things[path] = await province.post(f"/v1/{path}", of | body)
        return site.things[path]

    site.things["facilities"] = site.facility
    await add(
        "focal-points",
        full_name=f"Cán bộ {mark}",
        position="Trưởng khu",
        phone=phone,
        email=f"y.{mark}@qt.vn",
        valid_from="2021-05-01",
    )
    await add("coverages", area="corridor", verdict="not_covered", cameras_needed=2, blind_spots=mark)
    await add("recorders", code=f"DG-{mark}", name=f"Đầu ghi {mark}", channels=8)
    site.things["cameras"] = await province.camera(
        code=f"C-{mark}", name=f"Cổng {mark}", url=f"rtsp://10.7.{len(mark)}.{phone[-1]}/{mark}", **of
    )
    of_camera = {"camera_id": site.things["cameras"]["id"]}
    deliveries = (await province.client.get("/v1/deliveries", params=of_camera)).json()
    [site.things["deliveries"]] = deliveries["items"]
    question = [{"key": "q1", "text": f"Đường truyền {mark}?"}]
    await add("information-requests", code=f"YC-{mark}", name=f"Yêu cầu {mark}", questions=question)
    await add(
        "visits",
        team_id=team["id"],
        purpose="survey",
        planned_from=start.isoformat(),
        planned_to=(start + timedelta(hours=1)).isoformat(),
        gate_contact=f"Bảo vệ {mark}",
        gate_phone=phone,
    )
    await add("inspections", inspected_on="2021-05-08", agency_id=site.agency["id"], note=mark)
    await add(
        "maintenance-windows",
        starts_at=start.isoformat(),
        ends_at=(start + timedelta(hours=1)).isoformat(),
        purpose=f"Bảo trì {mark}",
    )
    await add("blocked-reasons", kind="other", text=mark, valid_from="2021-05-01")
    await add("surveys", code=f"KS-{mark}", lead_name=f"Trưởng đoàn {mark}", lead_phone=phone)
    await add("connection-plans", responsible_lead=mark)
    site.things["plan-exceptions"] = await province.plan_exception(facility_id, why=mark)
    await add("installation-proposals", code=f"DX-{mark}", note=mark)
    note = {"about_noun": "facility", "about_id": facility_id, "text": f"Ghi chú {mark}"}
    site.things["journal-entries"] = await province.post("/v1/journal-entries", note)


_KEEP = """
do $$
declare
  name text;
  filled boolean;
begin
  create schema kept;
  -- What was published is on the bus, which is another one for each test.
  for name in select tablename from pg_tables where schemaname = 'public'
      and tablename not in ('alembic_version', 'outbox', 'published_stream', 'republish_wanted') loop
    execute format('select exists (select from %I)', name) into filled;
    if filled then
      execute format('create table kept.%I as table %I', name, name);
    end if;
  end loop;
end $$
"""
_GIVE_BACK = """
do $$
declare
  name text;
begin
  -- Triggers rest: the history that they would write is among the rows.
  set local session_replication_role = replica;
  for name in select tablename from pg_tables where schemaname = 'kept' loop
    execute format('insert into %I overriding system value table kept.%I', name, name);
  end loop;
  perform setval('changes_id_seq', max(id)) from changes;
end $$
"""


@dataclass
class Kept:
    """The province that the first test had made, row by row: later ones get the same without its seventy requests."""

    sites: dict[str, Site] = field(default_factory=dict)
    team: Json = field(default_factory=dict)
    numbered: int = 0


@pytest.fixture(scope="session")
def kept() -> Kept:
    return Kept()


@pytest.fixture
def inventory_url(request: pytest.FixtureRequest, inventory_url: str, superuser: Engine, kept: Kept) -> str:
    """For a test of this province, its rows are there before inventory starts."""
    if kept.sites and "world" in request.fixturenames:
        with superuser.begin() as connection:
            connection.execute(text(_GIVE_BACK))
    return inventory_url


@pytest_asyncio.fixture
async def world(province: Any, token_for: Callable[..., str], superuser: Engine, kept: Kept) -> World:
    if not kept.sites:
        made = await make_world(province, token_for)
        with superuser.begin() as connection:
            connection.execute(text(_KEEP))
        kept.sites, kept.team, kept.numbered = made.sites, made.team, province.numbered
    province.numbered = kept.numbered
    return World(province, deepcopy(kept.sites), deepcopy(kept.team), token_for)


async def make_world(province: Any, token_for: Callable[..., str]) -> World:
    start = datetime.now(UTC) + timedelta(days=2)
    operator = await province.agency(code="VTQT", name="Viettel", role="operator")
    lead = await province.agency(code="STTTT", name="Sở TT&TT", role="lead")
    team = await province.post("/v1/teams", {"code": "DOI-1", "name": "Đội 1", "agency_id": operator["id"]})
    member = {"team_id": team["id"], "full_name": "Kỹ thuật viên", "position": "Kỹ sư", "phone": "0911000009"}
    await province.post("/v1/team-members", member)
    top = await province.unit(code="45", name="Tỉnh", level="province")
    here = await province.unit(code="465", name="Huyện này", parent_id=top["id"])
    there = await province.unit(code="466", name="Huyện kia", parent_id=top["id"])
    agency, elsewhere = await province.agency(name="Sở Y tế"), await province.agency(name="Bộ CHQS")
    await province.destination(code="QG")
    sites = {}
    for name, unit, managing in (("open", here, agency), ("other", there, elsewhere), ("secret", here, agency)):
        mark = f"dau-{name}"
        commune = await province.unit(name="Xã", level="commune", parent_id=unit["id"])
        facility = await province.facility(
            code=f"KCL-{mark}",
            name=f"Khu {mark}",
            address=f"Đường {mark}",
            unit_id=commune["id"],
            managing_agency_id=managing["id"],
            restricted=name == "secret",
        )
        sites[name] = Site(mark, managing, commune, facility)
        await furnish(province, sites[name], team, start + timedelta(hours=2 * len(sites)))
    body = {"code": "CV-1742", "number": "1742/UBND-VX", "issuer_id": lead["id"], "issued_on": "2021-05-07"}
    directive = await province.post("/v1/directives", body | {"subject": "Lắp camera"})
    about = [sites[name].facility["id"] for name in ("open", "secret")]
    duty = {"code": "NV-1", "name": "Kết nối", "kind": "connection", "facility_ids": about}
    await province.post(
        "/v1/obligations", duty | {"directive_id": directive["id"], "responsible_agency_id": operator["id"]}
    )
    return World(province, sites, team, token_for)


@pytest.fixture
def lead_headers(token_for: Callable[..., str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
