"""What a code means: the id of a unit, agency or facility that has it, or had it at a moment."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.storage.mandate.tables import register_record
from reporting.storage.tables import agency, facility, unit


async def find(session: AsyncSession, noun: str, given: str, at: Millis | None = None) -> UUID | None:
    """Find the id of a unit, agency or facility by its code or id; of several that had the code, the one that had it at
    the moment `at`, or else the last one before it, or else the latest."""
    if "\0" in given:
        # Nothing has such a code, and the database cannot be asked about it.
        return None
    dated: Any = facility.c if noun == "facility" else register_record.c
    code = dated.code if noun == "facility" else dated.state["code"].astext
    statement = select(dated.id).where(_match_code(code, dated.id, given), not_(dated.removed))
    if noun != "facility":
        statement = statement.where(dated.noun == noun)
    if at is not None:
        begun = dated.valid_from <= moment(at)
        lasts = or_(dated.valid_to.is_(None), dated.valid_to > moment(at))
        statement = statement.order_by(and_(begun, lasts).desc(), begun.desc())
    latest = statement.order_by(dated.valid_to.desc().nulls_first(), dated.valid_from.desc()).limit(1)
    found: UUID | None = await session.scalar(latest)
    if found is None and noun != "facility":
        # Named by an earlier release, which kept no more of it.
        table = {"unit": unit, "agency": agency}[noun]
        found = await session.scalar(select(table.c.id).where(_match_code(table.c.code, table.c.id, given)).limit(1))
    return found


async def facility_codes(session: AsyncSession, facility_id: UUID) -> frozenset[str]:
    """Every code that a facility has, or had."""
    return frozenset(await session.scalars(select(facility.c.code).where(facility.c.id == facility_id).distinct()))


def _match_code(code: ColumnElement[Any], id_: ColumnElement[Any], given: str) -> ColumnElement[bool]:
    try:
        return or_(code == given, id_ == UUID(given))
    except ValueError:
        return code == given
