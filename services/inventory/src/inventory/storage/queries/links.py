"""Links of facilities: listed, found by the digest of their token, published without it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.people.facility_link import subject_of
from inventory.storage.store import Store, WriteTransaction
from inventory.storage.tables import Facility, FacilityLink
from vonggac.auth import Principal, Role
from vonggac.auth.links import FindLink
from vonggac.auth.scope import AccessScope
from vonggac.events.inventory import FacilityLinkV1, FacilityStatus


async def list_links(session: AsyncSession, facility_id: UUID) -> Sequence[FacilityLink]:
    """All links of a facility, those that are over too."""
    found = await session.scalars(select(FacilityLink).where(FacilityLink.facility_id == facility_id))
    return found.all()


async def count_valid(session: AsyncSession, facility_id: UUID, now: datetime) -> int:
    """How many links of a facility are neither over nor revoked."""
    valid = (FacilityLink.facility_id == facility_id, FacilityLink.revoked_at.is_(None), FacilityLink.expires_at > now)
    return int(await session.scalar(select(func.count()).where(*valid)) or 0)


def state_of_link(link: FacilityLink) -> FacilityLinkV1:
    """As it is published. It changes once at most: it is revoked."""
    return FacilityLinkV1(
        id=link.id,
        revision=1 if link.revoked_at is None else 2,
        changed_at=link.revoked_at or link.created_at,
        created_at=link.created_at,
        facility_id=link.facility_id,
        token_sha256=link.token_sha256.hex(),
        expires_at=link.expires_at,
        revoked_at=link.revoked_at,
    )


def publish_link(transaction: WriteTransaction, link: FacilityLink) -> None:
    """With what else the write changes."""
    transaction.pending.messages.append(transaction.message_of(FacilityLink.logged_as, link.id, state_of_link(link)))


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
