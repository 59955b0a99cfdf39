"""Takes an import back: what nobody touched since returns to what it was, what somebody touched is named.

The change log says what an import did: its lines have the import's id as their request id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Uuid, any_, delete, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named
from inventory.nouns.writer import Write
from inventory.storage.queries.sight import saw, sight_of
from inventory.storage.store import snapshot
from inventory.storage.tables import Camera, Change, Delivery, Thing
from vonggac.auth import Principal, Right
from vonggac.http import FieldError, ProblemError

CHUNK = 1000
SHOWN = 1000
"""Records that a refusal names."""
_PLAIN = {"synchronize_session": False}


@dataclass(slots=True)
class Left:
    """A thing that was not taken back, and why."""

    noun: str
    id: UUID
    key: str
    reason: str


@dataclass(slots=True)
class TakenBack:
    """What became of the rows of an import."""

    removed: int = 0
    restored: int = 0
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BackRules:
    """How the routes of a noun change and remove."""

    patch: Callable[[Write, Noun, Thing, Mapping[str, Any]], Awaitable[Thing]]
    remove: Callable[[Write, Noun, Thing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Done:
    """All that an import did to one thing: `before` of its first line, `after` of its last."""

    noun: str
    id: UUID
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def key(self) -> str:
        shown = self.after or self.before or {}
        return str(shown.get("code") or shown.get("full_name") or self.id)


async def take_back(writing: Write, import_id: UUID, rules: BackRules) -> TakenBack:
    """In a write transaction, so that nobody touches anything meanwhile."""
    session, result = writing.transaction.session, TakenBack()
    done = await _done_by(session, import_id)
    _check_rights(writing.caller, done)
    await _check_seen(session, done)
    touched = await _touched_since(session, import_id)
    order = {noun.name: place for place, noun in enumerate(NOUNS)}
    ours = [each for each in done if each.noun != "delivery"]
    cameras = {each.id: each for each in ours if each.noun == "camera" and each.action == "created"}
    touched |= await _cameras_of(session, touched, cameras)
    for each in ours:
        if each.id in touched:
            result.left.append(Left(each.noun, each.id, each.key, "changed since / đã có người sửa sau đó"))
    await _remove_cameras(writing, [each for each in cameras.values() if each.id not in touched], result)
    rest = [each for each in ours if each.id not in touched and each.id not in cameras]
    rest.sort(key=lambda each: order[each.noun], reverse=True)
    for start in range(0, len(rest), CHUNK):
        chunk = rest[start : start + CHUNK]
        present = await _read_things(session, chunk)
        for each in chunk:
            if each.id in present:
                await _take_one_back(writing, each, rules, result)
        await asyncio.sleep(0)
    return result


def _check_rights(caller: Principal, done: Sequence[_Done]) -> None:
    """What an import added is removed, what it changed is changed. Raises ProblemError 403 naming record and right."""
    errors = []
    for each in done:
        right = Right.REMOVE if each.action == "created" else Right.CHANGE
        if not caller.may(right):
            noun = each.noun.replace("_", " ")
            errors.append(FieldError(field=each.noun, message=f"{noun} {each.key}: needs the right '{right.value}'"))
    if errors:
        msg = f"{len(errors)} records of the import need rights that the token does not carry; nothing was changed"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg, errors[:SHOWN])


async def _check_seen(session: Any, done: Sequence[_Done]) -> None:
    """Raises ProblemError 403 when the import reached beyond what the caller sees now."""
    if sight_of(session).is_everything:
        return
    for each in done:
        if not await saw(session, noun_named(each.noun).table, each.id):
            msg = "the import wrote what the token is not for: somebody whose token covers all of it takes it back"
            raise ProblemError(HTTPStatus.FORBIDDEN, "outside_scope", msg)


async def _read_things(session: Any, chunk: Sequence[_Done]) -> dict[UUID, Any]:
    """Those that are still on record, a statement per noun; the session keeps them while they are referred to."""
    found: dict[UUID, Any] = {}
    for name in {each.noun for each in chunk}:
        table = noun_named(name).table
        ids = [each.id for each in chunk if each.noun == name]
        found |= {thing.id: thing for thing in await session.scalars(select(table).where(table.id.in_(ids)))}
    return found


async def _done_by(session: Any, import_id: UUID) -> list[_Done]:
    columns = (Change.noun, Change.thing_id, Change.action, Change.before, Change.after)
    query = select(*columns).where(Change.request_id == str(import_id)).order_by(Change.id)
    found: dict[UUID, _Done] = {}
    for noun, thing_id, action, before, after in await session.execute(query):
        first = found.get(thing_id)
        found[thing_id] = (
            _Done(noun, thing_id, action, before, after)
            if first is None
            else _Done(noun, thing_id, first.action, first.before, after)
        )
    return list(found.values())


async def _touched_since(session: Any, import_id: UUID) -> set[UUID]:
    later = aliased(Change)
    query = (
        select(Change.thing_id)
        .join(later, (later.thing_id == Change.thing_id) & (later.id > Change.id))
        .where(Change.request_id == str(import_id), later.request_id != str(import_id))
        .distinct()
    )
    return set(await session.scalars(query))


async def _cameras_of(session: Any, touched: set[UUID], cameras: Mapping[UUID, Any]) -> set[UUID]:
    """The new cameras of which a delivery was touched, removed or added since."""
    query = select(Change.before, Change.after).where(Change.noun == "delivery", Change.thing_id.in_(touched))
    ids = {UUID((after or before)["camera_id"]) for before, after in await session.execute(query)} if touched else set()
    return ids & cameras.keys()


async def _remove_cameras(writing: Write, done: Sequence[_Done], result: TakenBack) -> None:
    """All at once: there may be twenty thousand."""
    transaction = writing.transaction
    for start in range(0, len(done), CHUNK):
        ids = [each.id for each in done[start : start + CHUNK]]
        for delivery in (await transaction.session.scalars(select(Delivery).where(Delivery.camera_id.in_(ids)))).all():
            transaction.log_change(delivery, "removed", snapshot(delivery), None)
            transaction.session.expunge(delivery)
        for camera in (await transaction.session.scalars(select(Camera).where(Camera.id.in_(ids)))).all():
            transaction.record_removed(camera)
            transaction.session.expunge(camera)
            result.removed += 1
        await asyncio.sleep(0)
    gone = [each.id for each in done]
    if gone:
        which = any_(literal(gone, ARRAY(Uuid)))
        await transaction.session.execute(delete(Delivery).where(Delivery.camera_id == which), execution_options=_PLAIN)
        await transaction.session.execute(delete(Camera).where(Camera.id == which), execution_options=_PLAIN)


async def _take_one_back(writing: Write, done: _Done, rules: BackRules, result: TakenBack) -> None:
    noun, session = noun_named(done.noun), writing.transaction.session
    thing = await session.get(noun.table, done.id)
    if thing is None:
        return
    try:
        async with session.begin_nested():
            if done.action == "created":
                await rules.remove(writing, noun, thing)
                result.removed += 1
                return
            await rules.patch(writing, noun, thing, _patch_of(noun, done))
            result.restored += 1
    except ProblemError as error:
        if error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        result.left.append(Left(done.noun, done.id, done.key, error.problem.detail or error.problem.title))


def _patch_of(noun: Noun, done: _Done) -> dict[str, Any]:
    """The fields that the import changed, as they were: JSON values of the log through the noun's own types."""
    before, after = done.before or {}, done.after or {}
    names = [name for name in noun.fields.model_fields if name in before and before[name] != after.get(name)]
    patch: dict[str, Any] = {}
    for name in names:
        patch[name] = None if before[name] is None else _typed(_adapter(noun.name, name), before[name])
    return patch


@cache
def _adapter(noun: str, name: str) -> TypeAdapter[Any]:
    """Making one takes longer than storing a row."""
    info = noun_named(noun).fields.model_fields[name]
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind)


def _typed(adapter: TypeAdapter[Any], value: Any) -> Any:
    typed = adapter.validate_python(value)
    return typed.model_dump() if hasattr(typed, "model_dump") else typed
