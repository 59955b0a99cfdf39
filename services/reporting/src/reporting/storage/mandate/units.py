"""Units as the register has them: which one lies in which, and follows which."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import millis, start_of
from reporting.domain.mandate.units import Succession, UnitVersion
from reporting.domain.scope import FOREVER, Named
from reporting.domain.segments import Segment
from reporting.storage.mandate.tables import register_record
from vonggac.auth.succession import UnitLinks, has_ended


def links(state: Mapping[str, Any], on: date | None = None) -> UnitLinks:
    """Read the links of a unit's record, as of today or of a day."""
    parent, last_day = state.get("parent_id"), state.get("valid_to")
    ended = has_ended(None if last_day is None else date.fromisoformat(last_day), on)
    return UnitLinks(None if parent is None else UUID(parent), _follows(state.get("succeeds")), ended)


async def load_succession(session: AsyncSession) -> Succession:
    """Units as they follow one another, under the codes and names that they had last."""
    table, state = register_record.c, register_record.c.state
    statement = (
        select(
            table.id,
            table.valid_from,
            table.valid_to,
            state["code"].astext.label("code"),
            state["name"].astext.label("name"),
            state["parent_id"].astext.label("parent_id"),
            state["valid_to"].astext.label("last_day"),
            state["succeeds"].label("succeeds"),
        )
        .where(table.noun == "unit", not_(table.removed))
        .order_by(table.id, table.revision)
    )
    versions: dict[UUID, list[Segment[UnitVersion]]] = {}
    names: dict[UUID, Named] = {}
    for row in await session.execute(statement):
        start, end = millis(row.valid_from), FOREVER if row.valid_to is None else millis(row.valid_to)
        names[row.id] = Named(row.id, row.code, row.name)
        known = versions.setdefault(row.id, [])
        if start < end:
            known.append(Segment(start, end, _version(row)))
    return Succession(versions, names)


def _version(row: Any) -> UnitVersion:
    """`row`: what a revision says of the unit above, the last day and the units that it follows."""
    ended_at = None if row.last_day is None else start_of(date.fromisoformat(row.last_day) + timedelta(days=1))
    return UnitVersion(None if row.parent_id is None else UUID(row.parent_id), ended_at, _follows(row.succeeds))


def _follows(succeeds: Iterable[Mapping[str, Any]] | None) -> tuple[UUID, ...]:
    return tuple(UUID(each["unit_id"]) for each in succeeds or ())
