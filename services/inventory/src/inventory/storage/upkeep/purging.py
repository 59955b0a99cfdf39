"""The purge of a closed facility: what is due, and erasing it in the register, its history and its change log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.places.retention import PERSONAL, Kind, erase_people
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import (
    HISTORY,
    Camera,
    Change,
    DecisionRequest,
    Facility,
    FacilityLink,
    FocalPoint,
    Purge,
    Survey,
    SurveyContent,
    Thing,
    Visit,
)
from inventory.storage.tables.base import DERIVED
from inventory.storage.tables.structured import Structured
from vonggac.events.inventory import FacilityStatus, RemovedV1

_PEOPLE: Mapping[Kind, type[FocalPoint | Visit | Survey]] = {
    Kind.FOCAL_POINTS: FocalPoint,
    Kind.VISITS: Visit,
    Kind.SURVEYS: Survey,
}


REMOVED_LINK = 3
"""Its revision: after it was made (1) and revoked (2)."""


async def find_closings(session: AsyncSession, facility_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Since when each of these facilities is closed; one that is not closed is left out."""
    history = HISTORY[Facility]
    closed = select(Facility.id, Facility.created_at).where(
        Facility.id.in_(facility_ids), Facility.status == FacilityStatus.CLOSED
    )
    open_until = (
        select(history.c.id, func.max(history.c.recorded_to))
        .where(history.c.id.in_(facility_ids), history.c.status != FacilityStatus.CLOSED)
        .group_by(history.c.id)
    )
    ended = {row[0]: row[1] for row in await session.execute(open_until)}
    return {row.id: ended.get(row.id) or row.created_at for row in await session.execute(closed)}


async def list_purges(session: AsyncSession) -> Sequence[Purge]:
    """All purges."""
    return (await session.scalars(select(Purge))).all()


async def date_requests(session: AsyncSession, request_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """When each of these decision requests was made; none is ever removed."""
    query = select(DecisionRequest.id, DecisionRequest.created_at).where(DecisionRequest.id.in_(request_ids))
    return {row.id: row.created_at for row in await session.execute(query)}


async def count_kinds(session: AsyncSession, facility_id: UUID) -> dict[Kind, int]:
    """How many of each kind a purge of the facility would take."""
    counts = {kind: await _count(session, table.facility_id == facility_id, table) for kind, table in _PEOPLE.items()}
    files = SurveyContent.survey_id.in_(_surveys(facility_id))
    counts[Kind.SURVEY_FILES] = await _count(session, files, SurveyContent)
    counts[Kind.LINKS] = await _count(session, FacilityLink.facility_id == facility_id, FacilityLink)
    logins = (Camera.facility_id == facility_id) & Camera.sealed_secret.is_not(None)
    counts[Kind.CAMERA_LOGINS] = await _count(session, logins, Camera)
    return counts


async def purge_facility(transaction: WriteTransaction, facility_id: UUID) -> dict[Kind, int]:
    """Erase what is due; how many of each kind. The new states are published, and no earlier one keeps a name."""
    session = transaction.session
    counts = await count_kinds(session, facility_id)
    for table in _PEOPLE.values():
        await _erase_things(transaction, table, facility_id)
    await session.execute(delete(SurveyContent).where(SurveyContent.survey_id.in_(_surveys(facility_id))))
    links = (await session.scalars(select(FacilityLink.id).where(FacilityLink.facility_id == facility_id))).all()
    await _erase_log(session, FacilityLink.logged_as, links)
    for link in links:
        gone = RemovedV1(id=link, noun=FacilityLink.logged_as, revision=REMOVED_LINK, removed_at=transaction.now)
        transaction.pending.messages.append(transaction.message_of(FacilityLink.logged_as, link, gone))
    await session.execute(delete(FacilityLink).where(FacilityLink.facility_id == facility_id))
    cameras = select(Camera).where(Camera.facility_id == facility_id, Camera.sealed_secret.is_not(None))
    for camera in (await session.scalars(cameras)).all():
        await transaction.change_thing(camera, {"sealed_secret": None})
    return counts


async def _erase_things(transaction: WriteTransaction, table: type[Any], facility_id: UUID) -> None:
    session = transaction.session
    things: Sequence[Thing] = (await session.scalars(select(table).where(table.facility_id == facility_id))).all()
    for thing in things:
        await transaction.change_thing(thing, _erased_columns(thing.__table__, vars(thing)))
    # What this write logs of them holds the names as they were, so it is stored first and erased with the rest.
    await transaction.write_log()
    history = HISTORY[table]
    of_facility: list[UUID] = list(
        await session.scalars(select(history.c.id).where(history.c.facility_id == facility_id).distinct())
    )
    await _erase_history(session, history, of_facility)
    await _erase_log(session, table.noun, of_facility)


async def _erase_history(session: AsyncSession, history: Table, ids: Sequence[UUID]) -> None:
    for row in (await session.execute(select(history).where(history.c.id.in_(ids)))).mappings().all():
        values = _erased_columns(history, dict(row)) | {name: "" for name in DERIVED if name in history.c}
        one = (history.c.id == row["id"]) & (history.c.recorded_from == row["recorded_from"])
        await session.execute(update(history).where(one).values(values))


async def _erase_log(session: AsyncSession, noun: str, ids: Sequence[UUID]) -> None:
    lines = select(Change.id, Change.before, Change.after).where(Change.noun == noun, Change.thing_id.in_(ids))
    for line in (await session.execute(lines)).all():
        erased = {"before": erase_people(line.before), "after": erase_people(line.after)}
        await session.execute(update(Change).where(Change.id == line.id).values(erased))


def _erased_columns(table: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Erase the columns of people; of structured ones what is in them."""
    erased: dict[str, Any] = {}
    for column in table.columns:
        value = row[column.name]
        if value is None:
            continue
        if column.name in PERSONAL:
            erased[column.name] = erase_people({column.name: value})[column.name]
        elif isinstance(column.type, Structured):
            shape = TypeAdapter(column.type.shape)
            erased[column.name] = shape.validate_python(erase_people(shape.dump_python(value, mode="json")))
    return erased


def _surveys(facility_id: UUID) -> Any:
    return select(Survey.id).where(Survey.facility_id == facility_id)


async def _count(session: AsyncSession, condition: ColumnElement[bool], table: type[Any]) -> int:
    return int(await session.scalar(select(func.count()).select_from(table).where(condition)) or 0)
