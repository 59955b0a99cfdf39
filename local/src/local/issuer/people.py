"""The people to choose from: one by role, and those who speak for an agency or a facility of the register."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from vonggac.auth.rights import Role
from vonggac.auth.scope import AccessScope
from vonggac.auth.tokens import TokenIssuer

OF_EACH = 6
WITHIN_S = 2.0
READS_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Who somebody can be."""

    subject: str
    name: str
    """As the page shows whom one can be."""
    role: Role
    scope: AccessScope | None = None
    agency: UUID | None = None
    beside: frozenset[Role] = frozenset()
    """Roles that somebody is named for beside."""
    full_name: str = ""
    post: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        return self.beside | {self.role}


OF_THE_PROVINCE = (
    DemoPerson(
        "lead",
        "Sở Thông tin và Truyền thông (chủ trì)",
        Role.PROVINCE_LEAD,
        full_name="Trần Thị Minh Thử",
        post="Trưởng phòng Bưu chính - Viễn thông",
    ),
    DemoPerson(
        "decider",
        "Lãnh đạo Ủy ban nhân dân tỉnh (quyết định)",
        Role.DECIDER,
        full_name="Lê Văn Thử",
        post="Phó Chủ tịch UBND tỉnh",
    ),
    DemoPerson(
        "operator",
        "Viễn thông (vận hành)",
        Role.OPERATOR,
        full_name="Nguyễn Đức Thử",
        post="Phó Giám đốc Kỹ thuật",
    ),
    DemoPerson("authority", "Bộ Thông tin và Truyền thông (theo dõi)", Role.AUTHORITY),
    DemoPerson("duty", "Trực ban trung tâm tỉnh (được xem hình)", Role.AUTHORITY, beside=frozenset({Role.VIEWER})),
    DemoPerson("reader", "Người xem tiến độ", Role.READER),
)
"""Vietnamese: this is what people read. The names say that nobody bears them."""


async def find_people(inventory_url: str | None, issuer: TokenIssuer) -> list[DemoPerson]:
    """Those of the province, then some agencies and facilities; without the register those of the province alone."""
    people = list(OF_THE_PROVINCE)
    if inventory_url is None:
        return people
    token = issuer.issue(subject="issuer", roles=frozenset({Role.PROVINCE_LEAD}), valid_for=READS_FOR)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with httpx.AsyncClient(base_url=inventory_url, headers=headers, timeout=WITHIN_S, trust_env=False) as api:
            facilities = await _list(api, "/v1/facilities", "code")
            managing = {each["managing_agency_id"] for each in facilities}
            agencies = [each for each in await _list(api, "/v1/agencies", "name") if each["id"] in managing]
    except (httpx.HTTPError, ValueError, KeyError):
        return people
    for one in agencies[:OF_EACH]:
        scope = AccessScope(agencies=frozenset({UUID(one["id"])}))
        people.append(
            DemoPerson(f"agency:{one['id']}", one["name"], Role.MANAGING_AGENCY, scope, agency=UUID(one["id"]))
        )
    for one in facilities[:OF_EACH]:
        scope = AccessScope(facilities=frozenset({UUID(one["id"])}))
        people.append(DemoPerson(f"facility:{one['id']}", one["name"], Role.FACILITY, scope))
    return people


async def _list(api: httpx.AsyncClient, path: str, sort: str) -> list[dict[str, Any]]:
    answer = await api.get(path, params={"limit": 100, "sort": sort})
    answer.raise_for_status()
    return list(answer.json()["items"])
