"""Links of facilities: added, listed, found by the digest of their token, revoked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.people.facility_link import subject_of
from inventory.storage.store import Store
from inventory.storage.tables import Facility, FacilityLink
from vonggac.auth import Principal, Role
from vonggac.auth.links import FindLink
from vonggac.auth.scope import AccessScope
from vonggac.events.inventory import FacilityStatus


async def list_links(session: AsyncSession, facility_id: UUID) -> Sequence[FacilityLink]:
    """All links of a facility, those that are over too."""
    found = await session.scalars(select(FacilityLink).where(FacilityLink.facility_id == facility_id))
    return found.all()


async def count_valid(session: AsyncSession, facility_id: UUID, now: datetime) -> int:
    """How many links of a facility are neither over nor revoked."""
    valid = (FacilityLink.facility_id == facility_id, FacilityLink.revoked_at.is_(None), FacilityLink.expires_at > now)
    return int(await session.scalar(select(func.count()).where(*valid)) or 0)


def find_links_in(store: Store) -> FindLink:
    """How a service knows the callers of links: each request reads the register, so what is revoked ends at once."""

    async def find(token_sha256: bytes) -> Principal | None:
        async with store.read_transaction() as session:
            link: Any = await session.scalar(
                select(FacilityLink)
                .join(Facility, Facility.id == FacilityLink.facility_id)
                .where(
                    FacilityLink.token_sha256 == token_sha256,
                    FacilityLink.revoked_at.is_(None),
                    FacilityLink.expires_at > store.now(),
                    Facility.status != FacilityStatus.CLOSED,
                )
            )
        if link is None:
            return None
        scope = AccessScope(facilities=frozenset({link.facility_id}))
        return Principal(subject_of(link.id), frozenset({Role.FACILITY}), scope, link=link.id)

    return find
