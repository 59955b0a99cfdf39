"""Stores the rows of any noun by the same rules as its routes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from inventory.importing.derived import columns_of
from inventory.importing.mistakes import Mistakes, Text
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.plan import Action, Plan, Planned
from inventory.importing.storing.people import appoint_focal_point
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.conflicts import busy, conflict_problem
from inventory.storage.tables import Thing
from vonggac.http import ProblemError

YIELD_EVERY = 50


@dataclass(frozen=True, slots=True)
class NounRules:
    """How the routes of a noun create and change."""

    make: Callable[[Write, Noun, BaseModel], Awaitable[Thing]]
    patch: Callable[[Write, Noun, Thing, Mapping[str, Any]], Awaitable[Thing]]


async def store_rows(writing: Write, plan: Plan, rules: NounRules, mistakes: Mistakes) -> None:
    """In a long write, before it queues; every mistake that a rule or the database finds goes to `mistakes`."""
    made: dict[str, UUID] = {}
    in_order(plan, mistakes)
    await _check_still_so(writing, plan, mistakes)
    if mistakes.count:
        return
    for action, store in ((Action.CREATED, _create), (Action.UPDATED, _change)):
        rows = [row for row in plan.rows if row.action is action]
        await _store_all(writing, plan.noun, rows, mistakes, made, partial(store, writing, plan, rules, made))
    if not mistakes.count:
        await writing.transaction.prepare()


class _ConflictError(Exception):
    """A row contradicts what is on record: a constraint of the database may have said so."""


async def _store_all(
    writing: Write,
    noun: Noun,
    rows: Sequence[Planned],
    mistakes: Mistakes,
    made: dict[str, UUID],
    store: Callable[[Planned], Awaitable[None]],
) -> None:
    """Once a constraint has refused a row, all are tried anew, each in a part of the transaction that can be undone."""
    session, before, made_before = writing.transaction.session, mistakes.count, dict(made)

    async def alone(row: Planned) -> None:
        async with session.begin_nested():
            await store(row)

    try:
        async with session.begin_nested():
            await _try_rows(noun, rows, mistakes, store, goes_on=False)
    except _ConflictError as conflict:
        del mistakes.found[before:]
        made.clear()
        made.update(made_before)
        await _try_rows(noun, rows, mistakes, alone, goes_on=True)
        if mistakes.count == before:
            # What was in the way is gone again. The log would have some lines twice: it is all done anew.
            raise busy() from conflict


async def _try_rows(
    noun: Noun,
    rows: Sequence[Planned],
    mistakes: Mistakes,
    store: Callable[[Planned], Awaitable[None]],
    *,
    goes_on: bool,
) -> None:
    """Store each row, or note its mistake. Raises _ConflictError unless it `goes_on` after one."""
    for number, row in enumerate(rows):
        try:
            await store(row)
        except (ProblemError, IntegrityError) as error:
            refusal = conflict_problem(error) if isinstance(error, IntegrityError) else error
            status = refusal.problem.status
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.FORBIDDEN:
                raise
            if refusal.problem.code == "conflict" and not goes_on:
                raise _ConflictError from error
            add_problem(noun, row.line, refusal, mistakes)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                name = ".".join(str(part) for part in found["loc"])
                mistakes.add(row.line, name or "row", translate(found["msg"], found["type"], found.get("ctx")))
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)


def add_problem(noun: Noun, line: int, error: ProblemError, mistakes: Mistakes) -> None:
    """Add a route's refusal as mistakes of a row."""
    columns = {".".join(column.path): column.name for column in columns_of(noun).columns}
    for each in error.problem.errors:
        text = translate(each.message) if each.message_vi is None else Text(each.message, each.message_vi)
        mistakes.add(line, columns.get(each.field, each.field), text)
    if not error.problem.errors:
        mistakes.add(line, "row", translate(error.problem.detail or error.problem.title))


def in_order(plan: Plan, mistakes: Mistakes) -> None:
    """Put new rows of the file that others of it refer to before those; leave the rest as they are."""
    if not plan.coming:
        return
    waiting = [row for row in plan.rows if row.action is Action.CREATED]
    new = {row.given.get("code"): row for row in sorted(waiting, key=_is_open)}
    placed: dict[int, Planned] = {}
    while waiting:
        ready = [row for row in waiting if all(new[code].line in placed for code in _awaited(plan, row) if code in new)]
        placed |= {row.line: row for row in ready}
        waiting = [row for row in waiting if row.line not in placed]
        if not ready:
            for row in waiting:
                mistakes.add_phrase(row.line, "row", "circle", value=row.label)
            return
    plan.rows = [*placed.values(), *(row for row in plan.rows if row.action is not Action.CREATED)]


def _is_open(row: Planned) -> bool:
    """Whether it stands without an end: of two units with one code that one is meant."""
    return row.given.get("valid_to") is None


def _awaited(plan: Plan, row: Planned) -> list[str]:
    values: Iterator[Any] = (row.given.get(name) for name in plan.noun.references)
    return [plan.coming[value] for value in values if value in plan.coming]


def _settled(plan: Plan, values: Mapping[str, Any], made: Mapping[str, UUID]) -> dict[str, Any] | None:
    """`values` with the ids of what the file has brought meanwhile; None while that is not stored, for it is wrong."""
    coming = plan.coming
    settled = dict(values)
    for name in plan.noun.references:
        value = values.get(name)
        code = None if value is None else coming.get(value)
        if code is not None:
            if code not in made:
                plan.skipped += 1
                return None
            settled[name] = made[code]
    return settled


async def _create(writing: Write, plan: Plan, rules: NounRules, made: dict[str, UUID], row: Planned) -> None:
    noun, given = plan.noun, _settled(plan, row.given, made)
    if given is None:
        return
    thing = await rules.make(writing, noun, noun.fields.model_validate(given))
    code = row.given.get("code")
    if code is not None and (code not in made or _is_open(row)):
        made[code] = thing.id
    if noun.name == "facility":
        await appoint_focal_point(writing, thing.id, row.extra, rules.make, rules.patch)


async def _change(writing: Write, plan: Plan, rules: NounRules, made: Mapping[str, UUID], row: Planned) -> None:
    noun, patch = plan.noun, _settled(plan, row.patch, made)
    if patch is None:
        return
    thing = await writing.transaction.session.get_one(noun.table, row.id)
    if noun.name == "facility":
        # Before its status: it becomes active with a focal point in office.
        await appoint_focal_point(writing, thing.id, row.extra, rules.make, rules.patch)
    if patch:
        await rules.patch(writing, noun, thing, patch)


async def _check_still_so(writing: Write, plan: Plan, mistakes: Mistakes) -> None:
    """Check that the records that the plan was compared with are as they were: from here on nobody changes them."""
    table = plan.noun.table.__table__.c
    read = {row.id: row for row in plan.rows if row.action is Action.UPDATED and row.present is not None}
    if not read:
        return
    which = select(table.id, table.revision).where(table.id == any_(literal(list(read), ARRAY(Uuid))))
    rows = await writing.transaction.session.execute(which.with_for_update(key_share=True))
    now: dict[Any, int] = {row.id: row.revision for row in rows}
    for thing_id, row in read.items():
        assert row.present is not None
        if now.get(thing_id) != row.present["revision"]:
            mistakes.add_phrase(
                row.line,
                "revision",
                "changed_meanwhile",
                given=row.present["revision"],
                now=now.get(thing_id, "—"),
                who="",
                value=row.label,
            )
