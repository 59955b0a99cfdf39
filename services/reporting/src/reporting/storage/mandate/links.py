"""Links of facilities as the register publishes them: by which of them a facility answers urges (decision 0162)."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import Column, DateTime, LargeBinary, Table, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import facility, metadata
from vonggac.auth import AccessScope, Principal, Role
from vonggac.auth.links import FindLink
from vonggac.database import Database
from vonggac.events import Payload
from vonggac.events.inventory import FacilityLinkV1, FacilityStatus, RemovedV1
from vonggac.http.problems import ProblemError

NOUN = "facility_link"
KEPT = timedelta(days=1)
"""After its end, when nobody is admitted by it any more."""

facility_link = Table(
    "facility_link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("facility_id", Uuid, comment="null: all that is known is that it was removed"),
    Column("token_sha256", LargeBinary, unique=True, comment="Of 32 random bytes: nobody guesses them"),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True), comment="Or removed; it stays so"),
    comment="Tokens by which facilities answer urges, as digests",
)


async def keep(session: AsyncSession, states: Iterable[Payload], now: datetime) -> None:
    """Keep links and removals of links; twice or in any order makes no difference."""
    rows: list[dict[str, Any]] = []
    for state in states:
        if isinstance(state, FacilityLinkV1):
            rows.append(_row(state))
        elif isinstance(state, RemovedV1) and state.noun == NOUN:
            rows.append(dict.fromkeys(_COLUMNS) | {"id": state.id, "revoked_at": state.removed_at})
    for row in rows:
        statement = insert(facility_link).values(row)
        first = {name: func.coalesce(facility_link.c[name], statement.excluded[name]) for name in _COLUMNS}
        await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=first))
    if rows:
        await session.execute(delete(facility_link).where(facility_link.c.expires_at < now - KEPT))


_COLUMNS = ("facility_id", "token_sha256", "expires_at", "revoked_at")


def _row(link: FacilityLinkV1) -> dict[str, Any]:
    return {
        "id": link.id,
        "facility_id": link.facility_id,
        "token_sha256": bytes.fromhex(link.token_sha256),
        "expires_at": link.expires_at,
        "revoked_at": link.revoked_at,
    }


def find_links_in(database: Database, clock: Callable[[], datetime], knows_register: Callable[[], bool]) -> FindLink:
    """How reporting knows the callers of links: each request reads the table.

    `knows_register`: whether what was revoked is in the table. The function raises ProblemError 503 while it is not,
    and while PostgreSQL is away.
    """

    async def find(token_sha256: bytes) -> Principal | None:
        if not knows_register():
            raise _not_readable()
        try:
            async with database.transaction() as session:
                link = await _find_valid(session, token_sha256, clock())
        except (SQLAlchemyError, OSError):
            raise _not_readable() from None
        if link is None:
            return None
        scope = AccessScope(facilities=frozenset({link.facility_id}))
        return Principal(f"facility-link:{link.id}", frozenset({Role.FACILITY}), scope, link=link.id)

    return find


def _not_readable() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "links_unknown",
        "which links are valid is not known now: ask again shortly",
        headers={"Retry-After": "10"},
        detail_vi="hiện chưa biết liên kết nào còn hiệu lực: thử lại sau ít giây",
    )


async def _find_valid(session: AsyncSession, token_sha256: bytes, now: datetime) -> Any:
    """None also of a facility that is closed, removed or unknown."""
    table = facility_link.c
    valid = (table.token_sha256 == token_sha256, table.revoked_at.is_(None), table.expires_at > now)
    link = (await session.execute(select(facility_link).where(*valid))).one_or_none()
    if link is None:
        return None
    newest = select(facility.c.removed, facility.c.status).where(facility.c.id == link.facility_id)
    place = (await session.execute(newest.order_by(facility.c.revision.desc()).limit(1))).one_or_none()
    return None if place is None or place.removed or place.status == FacilityStatus.CLOSED else link
