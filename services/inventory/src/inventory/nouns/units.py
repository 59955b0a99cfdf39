"""How administrative units are written: a parent of a higher level, successions as JSON; and that new records name none
that has ended."""

from collections.abc import Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from inventory.domain.days import day_of
from inventory.domain.paper import in_vietnam
from inventory.domain.places.unit import SuccessionKind, UnitFields, check_parent, check_succession
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import refuse_as_422, unknown_reference
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, Thing, Unit
from vonggac.http import FieldError, ProblemError

MOST_NAMED = 8
"""Successors in a refusal; the rest are counted."""


class UnitWriter(Writer):
    """`succeeds` is kept as JSON."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """409 when another unit of the level has the code on a day of its period."""
        unit = kind(**_columns(cast("UnitFields", fields)))
        await writing.transaction.add_thing(unit)
        return unit

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """As `make`."""
        await writing.transaction.change_thing(thing, _columns(cast("UnitFields", merge(fields, thing, patch))))


async def check_unit(transaction: WriteTransaction, _before: Any, after: Unit | None) -> None:
    """Raise ProblemError 422 when the parent or a unit that this one follows does not fit."""
    if after is None:
        return
    for one in after.succeeds:
        earlier = await transaction.session.get(Unit, one["unit_id"])
        if earlier is None:
            raise unknown_reference("succeeds", "unit")
        with refuse_as_422("succeeds"):
            check_succession(after, earlier, SuccessionKind(one["kind"]))
    if after.parent_id is None:
        return
    parent = await transaction.session.get(Unit, after.parent_id)
    if parent is None:
        raise unknown_reference("parent_id", "unit")
    with refuse_as_422("parent_id"):
        check_parent(after.level, after, parent.level, parent)


def _columns(fields: UnitFields) -> dict[str, Any]:
    return fields.model_dump() | {"succeeds": [one.model_dump(mode="json") for one in fields.succeeds]}


PLACED = (("unit_id", Unit), ("managing_agency_id", Agency))
"""What says where a facility lies, and whom an obligation is about."""
OF_A_UNIT = (("unit_id", Unit),)


async def refuse_ended(
    transaction: WriteTransaction,
    before: Any | None,
    after: Any,
    fields: Sequence[tuple[str, type[Unit | Agency]]] = PLACED,
    *,
    since: date | None = None,
) -> None:
    """Raise ProblemError 422 when a record newly names a unit or an agency that has ended.

    A record whose own days ended with it is of that time, and names it rightly; as does one that began in that time.
    `since`: the day from which the record is, or that of the document that ordered it.
    """
    today = day_of(transaction.now)
    for field, kind in fields:
        named: UUID | None = getattr(after, field)
        if named is None or (before is not None and getattr(before, field) == named):
            continue
        thing: Any = await transaction.session.get(kind, named)
        if thing is None or thing.valid_to is None or thing.valid_to >= today:
            continue
        if _is_of_that_time(after, thing.valid_to) or (since is not None and since <= thing.valid_to):
            continue
        followers = await (_units_after(transaction, thing) if kind is Unit else _agencies_after(transaction, thing))
        raise _ended(field, thing, followers)


def _is_of_that_time(record: Any, last_day: date) -> bool:
    return record.valid_to is not None and record.valid_to <= last_day


async def _units_after(transaction: WriteTransaction, unit: Unit) -> Sequence[Any]:
    follows = type_coerce(Unit.__table__.c.succeeds, JSONB()).contains([{"unit_id": str(unit.id)}])
    query = select(Unit.code, Unit.name).where(follows).order_by(Unit.code)
    return (await transaction.session.execute(query)).all()


async def _agencies_after(transaction: WriteTransaction, agency: Agency) -> Sequence[Any]:
    query = select(Agency.code, Agency.name).where(Agency.id == agency.successor_id)
    return (await transaction.session.execute(query)).all()


def _ended(field: str, thing: Any, followers: Sequence[Any]) -> ProblemError:
    named = ", ".join(f"{one.name} ({one.code})" for one in followers[:MOST_NAMED])
    more = len(followers) - MOST_NAMED
    rest, rest_vi = (f" and {more} more", f" và {more} đơn vị khác") if more > 0 else ("", "")
    instead = f"give the one that followed it: {named}{rest}" if followers else "give one that stands today"
    instead_vi = f"ghi đơn vị kế thừa: {named}{rest_vi}" if followers else "ghi đơn vị đang có hiệu lực"
    english = f"{thing.name} ({thing.code}) ended on {thing.valid_to.isoformat()}: {instead}"
    vietnamese = f"{thing.name} ({thing.code}) đã kết thúc ngày {in_vietnam(thing.valid_to)}: {instead_vi}"
    error = FieldError(field=field, message=english, message_vi=vietnamese, value=thing.code)
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{field}: {english}", [error], detail_vi=f"{field}: {vietnamese}"
    )
