"""Rules and channels: current state with a revision, changed under If-Match."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.sending.urging_tables import urge_channel, urge_rule
from reporting.storage.tables import agency
from vonggac.database.keyset import Ordered, keyset_page

MOST = 500
"""Rules, and channels, that there may be."""


class Records:
    """One kind of record. Every method raises what PostgreSQL raises."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._sortable = {name: table.c[name] for name in ("name", "created_at", "id")}

    async def add(self, session: AsyncSession, values: dict[str, Any], now: datetime, by: str) -> Any:
        """Add one; the row."""
        made = {"revision": 1, "created_at": now, "created_by": by, "changed_at": now, "changed_by": by}
        return (await session.execute(insert(self.table).values({**values, **made}).returning(self.table))).one()

    async def count(self, session: AsyncSession) -> int:
        return int((await session.execute(select(func.count()).select_from(self.table))).scalar_one())

    async def get(self, session: AsyncSession, record_id: UUID, *, for_update: bool = False) -> Any:
        """Read the row, or None."""
        wanted = select(self.table).where(self.table.c.id == record_id)
        return (await session.execute(wanted.with_for_update() if for_update else wanted)).one_or_none()

    async def change(
        self, session: AsyncSession, record_id: UUID, values: dict[str, Any], now: datetime, by: str
    ) -> Any:
        """Change one that is there; the row at its next revision."""
        changed = {**values, "changed_at": now, "changed_by": by, "revision": self.table.c.revision + 1}
        statement = update(self.table).where(self.table.c.id == record_id).values(changed)
        return (await session.execute(statement.returning(self.table))).one()

    async def remove(self, session: AsyncSession, record_id: UUID) -> None:
        await session.execute(delete(self.table).where(self.table.c.id == record_id))

    async def page(
        self,
        session: AsyncSession,
        orderings: Sequence[Ordered],
        last: Sequence[Any] | None,
        limit: int,
        *,
        count: bool,
    ) -> tuple[Sequence[Any], int | None]:
        """Read the rows of one page and one more, and the number of all when it is asked."""
        query = keyset_page(select(self.table), self._sortable, orderings, last, limit)
        rows = (await session.execute(query)).all()
        return rows, await self.count(session) if count else None

    async def enabled(self, session: AsyncSession) -> Sequence[Any]:
        """All that are switched on."""
        wanted = select(self.table).where(self.table.c.enabled).order_by(self.table.c.id)
        return (await session.execute(wanted)).all()


RULES = Records(urge_rule)
CHANNELS = Records(urge_channel)


async def agencies(session: AsyncSession) -> dict[UUID, Any]:
    """Every agency that the register has named here, by id."""
    return {row.id: row for row in await session.execute(select(agency).order_by(agency.c.code))}
