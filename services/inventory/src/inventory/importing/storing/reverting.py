"""Takes an import back: what nobody touched since returns to what it was, what somebody touched is named.

The change log says what an import did: its lines have the import's id as their request id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, Uuid, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from inventory.importing.mistakes.translated import translate
from inventory.importing.storing.earlier_cameras import remove_cameras, restore_cameras, restore_connections
from inventory.importing.storing.effects import Effect, Left, TakenBack, patch_back, read_effects
from inventory.nouns.devices.declared import CAMERA
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named, referring
from inventory.nouns.writer import Write
from inventory.storage.queries.sight import saw_all
from inventory.storage.tables import Change, Delivery, Thing
from vonggac.auth import Principal, Right
from vonggac.http import FieldError, ProblemError
from vonggac.http.problems import sentence_of

CHUNK = 1000
SHOWN = 1000
"""Records that a refusal names."""
TOUCHED = "changed since / đã có người sửa sau đó"


@dataclass(frozen=True, slots=True)
class BackRules:
    """How the routes of a noun change and remove."""

    patch: Callable[[Write, Noun, Thing, Mapping[str, Any]], Awaitable[Thing]]
    remove: Callable[[Write, Noun, Thing], Awaitable[None]]


async def lock_effects(session: AsyncSession, caller: Principal, import_id: UUID) -> list[Effect]:
    """Read and lock what the import did: nobody else writes its records from here on. Raises ProblemError 403."""
    effects = await read_effects(session, import_id)
    _check_rights(caller, effects)
    await _check_seen(session, effects)
    for name in {each.noun for each in effects}:
        ids = noun_named(name).table.id
        new = [each.id for each in effects if each.noun == name and each.action == "created"]
        changed = [each.id for each in effects if each.noun == name and each.action != "created"]
        await _lock_rows(session, select(ids).where(_is_any(ids, new)).with_for_update())
        # Others may go on to refer to what stays.
        await _lock_rows(session, select(ids).where(_is_any(ids, changed)).with_for_update(key_share=True))
        if name == "camera":
            await _lock_rows(session, select(Delivery.id).where(_is_any(Delivery.camera_id, new)).with_for_update())
    return effects


async def _lock_rows(session: AsyncSession, rows: Select[Any]) -> None:
    await session.execute(select(func.count()).select_from(rows.subquery()))


def _is_any(column: Any, ids: Sequence[UUID]) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", column == any_(literal(list(ids), ARRAY(Uuid))))


async def take_back(writing: Write, import_id: UUID, effects: Sequence[Effect], rules: BackRules) -> TakenBack:
    """In a long write; `effects` are locked. Cameras beside other writers, in the queue what goes by rules."""
    session, result = writing.transaction.session, TakenBack()
    touched = await _touched_since(session, import_id)
    new = {each.id for each in effects if each.noun == "camera" and each.action == "created"}
    touched |= await _cameras_of(session, touched, new)
    stays = {each.id for each in effects if each.noun == "camera" and (each.id in touched or each.id in new)}
    deliveries = [each for each in effects if each.noun == "delivery" and _camera_of(each) not in stays]
    ours = [each for each in effects if each.noun != "delivery"] + [each for each in deliveries if each.id in touched]
    result.left += [each.left(TOUCHED) for each in ours if each.id in touched]
    goes = new - touched
    referred = await _referred_cameras(session, [each for each in ours if each.id in goes])
    result.left += [each.left(referred[each.id]) for each in ours if each.id in referred]
    untouched = [each for each in ours if each.id not in touched and each.id not in referred]
    await remove_cameras(writing.transaction, [each for each in untouched if each.id in new], result)
    changed = [each for each in untouched if each.noun == "camera" and each.id not in new]
    rest = [each for each in untouched if each.noun != "camera"]
    rest += await restore_cameras(writing.transaction, changed, result)
    await writing.transaction.enter_queue()
    connections = [each for each in deliveries if each.id not in touched]
    await restore_connections(writing.transaction, connections, result)
    rest += [each for each in connections if each.action == "changed" and patch_back(noun_named("delivery"), each)]
    await _take_rest_back(writing, rest, rules, result)
    return result


async def _take_rest_back(writing: Write, rest: list[Effect], rules: BackRules, result: TakenBack) -> None:
    """One by one, what refers to others before what is referred to, and the newest before the older.

    What is refused is tried again after the others: of two units with one code the newer one goes first, and of two
    officers of a facility the earlier one comes back first.
    """
    order = {noun.name: place for place, noun in enumerate(NOUNS)}
    waiting = rest[::-1]
    waiting.sort(key=lambda each: order[each.noun], reverse=True)
    while waiting:
        refused: list[Left] = []
        again: list[Effect] = []
        for start in range(0, len(waiting), CHUNK):
            chunk = waiting[start : start + CHUNK]
            present = await _read_things(writing.transaction.session, chunk)
            for each in chunk:
                why = await _take_one_back(writing, each, rules, result) if each.id in present else None
                if why is not None:
                    refused.append(each.left(why))
                    again.append(each)
            await asyncio.sleep(0)
        if len(again) == len(waiting):
            result.left += refused
            return
        waiting = again


def _check_rights(caller: Principal, effects: Sequence[Effect]) -> None:
    """Undoing an addition needs the right to remove, else to change. Raises ProblemError 403 naming both."""
    errors = []
    for each in effects:
        right = Right.REMOVE if each.action == "created" else Right.CHANGE
        if not caller.may(right):
            noun = each.noun.replace("_", " ")
            errors.append(FieldError(field=each.noun, message=f"{noun} {each.key}: needs the right '{right.value}'"))
    if errors:
        msg = f"{len(errors)} records of the import need rights that the token does not carry; nothing was changed"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", msg, errors[:SHOWN])


async def _check_seen(session: Any, effects: Sequence[Effect]) -> None:
    """Raise ProblemError 403 when the import reached beyond what the caller sees now."""
    ids: dict[str, list[UUID]] = {}
    for each in effects:
        ids.setdefault(each.noun, []).append(each.id)
    for name, some in ids.items():
        if not await saw_all(session, noun_named(name).table, some):
            msg = "the import wrote what the token is not for: somebody whose token covers all of it takes it back"
            raise ProblemError(HTTPStatus.FORBIDDEN, "outside_scope", msg)


async def _read_things(session: Any, chunk: Sequence[Effect]) -> dict[UUID, Any]:
    """Those that are still on record, a statement per noun; the session keeps them while they are referred to."""
    found: dict[UUID, Any] = {}
    for name in {each.noun for each in chunk}:
        table = noun_named(name).table
        ids = [each.id for each in chunk if each.noun == name]
        found |= {thing.id: thing for thing in await session.scalars(select(table).where(table.id.in_(ids)))}
    return found


async def _touched_since(session: Any, import_id: UUID) -> set[UUID]:
    later = aliased(Change)
    query = (
        select(Change.thing_id)
        .join(later, (later.thing_id == Change.thing_id) & (later.id > Change.id))
        .where(Change.request_id == str(import_id), later.request_id != str(import_id))
        .distinct()
    )
    return set(await session.scalars(query))


async def _cameras_of(session: Any, touched: set[UUID], cameras: set[UUID]) -> set[UUID]:
    """Find the new cameras of which a delivery was touched, removed or added since."""
    query = select(Change.before, Change.after).where(Change.noun == "delivery", Change.thing_id.in_(touched))
    ids = {UUID((after or before)["camera_id"]) for before, after in await session.execute(query)} if touched else set()
    return ids & cameras


async def _referred_cameras(session: Any, new: Sequence[Effect]) -> dict[UUID, str]:
    """Those of the new cameras that others refer to, each with what does: they are not removed. They are held."""
    found: dict[UUID, str] = {}
    for other, field in referring(CAMERA):
        if other.name in CAMERA.owns:
            continue
        column = other.table.__table__.c[field]
        for start in range(0, len(new), CHUNK):
            some = [each.id for each in new[start : start + CHUNK]]
            reason = f"a {other.singular} refers to it / có {other.vietnamese} của nó"
            found |= dict.fromkeys(await session.scalars(select(column).where(_is_any(column, some))), reason)
    return found


def _camera_of(delivery: Effect) -> UUID:
    return UUID((delivery.after or delivery.before or {})["camera_id"])


async def _take_one_back(writing: Write, effect: Effect, rules: BackRules, result: TakenBack) -> str | None:
    """None when it is done, else why it is refused; nothing of it is then on record, in the log or in a message."""
    noun, session = noun_named(effect.noun), writing.transaction.session
    thing = await session.get(noun.table, effect.id)
    if thing is None:
        return None
    try:
        async with writing.transaction.pending.attempt():
            if effect.action == "created":
                await rules.remove(writing, noun, thing)
            else:
                await rules.patch(writing, noun, thing, patch_back(noun, effect))
    except ProblemError as error:
        if error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return _in_both(error.problem.detail or error.problem.title)
    except ValidationError as error:
        # Of a rule that came after the record did.
        return _in_both(sentence_of(error.errors()[0]["msg"]))
    if effect.action == "created":
        result.removed += 1
    else:
        result.restored += 1
    return None


def _in_both(english: str) -> str:
    text = translate(english)
    return f"{text.english} / {text.vietnamese}"
