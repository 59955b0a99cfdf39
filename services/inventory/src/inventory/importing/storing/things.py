"""Stores the rows of any noun by the same rules as its routes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from inventory.importing.derived import columns_of
from inventory.importing.mistakes import Mistakes, Text
from inventory.importing.mistakes.translated import translate
from inventory.importing.planning.plan import Action, Plan, Planned
from inventory.importing.storing.people import appoint_focal_point
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.tables import Thing
from vonggac.http import ProblemError

YIELD_EVERY = 50


@dataclass(frozen=True, slots=True)
class NounRules:
    """How the routes of a noun create and change."""

    make: Callable[[Write, Noun, BaseModel], Awaitable[Thing]]
    patch: Callable[[Write, Noun, Thing, Mapping[str, Any]], Awaitable[Thing]]


async def store_things(writing: Write, plan: Plan, rules: NounRules, mistakes: Mistakes) -> None:
    """In a long write. Raises ProblemError 422 with every mistake that a rule finds."""
    transaction = writing.transaction
    made: dict[str, UUID] = {}
    in_order(plan, mistakes)
    mistakes.raise_if_any()
    await _each(plan, Action.CREATED, mistakes, lambda row: _create(writing, plan, row, rules, made))
    mistakes.raise_if_any()
    await transaction.prepare()
    await transaction.enter_queue()
    await _check_still_so(writing, plan, mistakes)
    mistakes.raise_if_any()
    await _each(plan, Action.UPDATED, mistakes, lambda row: _change(writing, plan, row, rules, made))
    mistakes.raise_if_any()


async def _each(plan: Plan, action: Action, mistakes: Mistakes, store: Callable[[Planned], Awaitable[None]]) -> None:
    for number, row in enumerate(plan.rows):
        if row.action is not action:
            continue
        try:
            await store(row)
        except ProblemError as error:
            if error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.problem.status == HTTPStatus.FORBIDDEN:
                raise
            add_problem(plan.noun, row.line, error, mistakes)
            if error.problem.code == "conflict":
                break  # A constraint of the database: nothing more can be tried in this transaction.
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                name = ".".join(str(part) for part in found["loc"])
                mistakes.add(row.line, name or "row", translate(found["msg"], found["type"], found.get("ctx")))
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)


def add_problem(noun: Noun, line: int, error: ProblemError, mistakes: Mistakes) -> None:
    """A route's refusal as mistakes of a row."""
    columns = {".".join(column.path): column.name for column in columns_of(noun).columns}
    for each in error.problem.errors:
        text = translate(each.message) if each.message_vi is None else Text(each.message, each.message_vi)
        mistakes.add(line, columns.get(each.field, each.field), text)
    if not error.problem.errors:
        mistakes.add(line, "row", translate(error.problem.detail or error.problem.title))


def in_order(plan: Plan, mistakes: Mistakes) -> None:
    """New rows of the file that others of it refer to before those; the rest as they are."""
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


def _settled(plan: Plan, values: Mapping[str, Any], made: Mapping[str, UUID]) -> dict[str, Any]:
    """`values` with the ids of what the file has brought meanwhile."""
    coming = plan.coming
    return {name: made.get(coming[value], value) if name in plan.noun.references and value in coming else value
            for name, value in values.items()}  # fmt: skip


async def _create(writing: Write, plan: Plan, row: Planned, rules: NounRules, made: dict[str, UUID]) -> None:
    noun = plan.noun
    thing = await rules.make(writing, noun, noun.fields.model_validate(_settled(plan, row.given, made)))
    code = row.given.get("code")
    if code is not None and (code not in made or _is_open(row)):
        made[code] = thing.id
    if noun.name == "facility":
        await appoint_focal_point(writing, thing.id, row.extra, rules.make, rules.patch)


async def _change(writing: Write, plan: Plan, row: Planned, rules: NounRules, made: Mapping[str, UUID]) -> None:
    noun = plan.noun
    thing = await writing.transaction.session.get_one(noun.table, row.id)
    if noun.name == "facility":
        # Before its status: it becomes active with a focal point in office.
        await appoint_focal_point(writing, thing.id, row.extra, rules.make, rules.patch)
    if row.patch:
        await rules.patch(writing, noun, thing, _settled(plan, row.patch, made))


async def _check_still_so(writing: Write, plan: Plan, mistakes: Mistakes) -> None:
    """What the plan was compared with must be on record still: from here on nobody changes it."""
    table = plan.noun.table.__table__.c
    read = {row.id: row for row in plan.rows if row.action is Action.UPDATED and row.present is not None}
    if not read:
        return
    rows = await writing.transaction.session.execute(select(table.id, table.revision).where(table.id.in_(read)))
    now: dict[Any, int] = {row.id: row.revision for row in rows}
    for thing_id, row in read.items():
        assert row.present is not None
        if now.get(thing_id) != row.present["revision"]:
            mistakes.add_phrase(
                row.line, "revision", "changed_meanwhile", given=row.present["revision"],
                now=now.get(thing_id, "—"), who="", value=row.label,
            )  # fmt: skip
