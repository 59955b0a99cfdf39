"""Who acted, by name and post beside the login, as these were at the act (decision 0161)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.nouns.shown import Acted, Named, NamedActor
from inventory.storage.change_log import WrittenAct, date_acts, find_people
from inventory.storage.queries.sight import sight_of


@dataclass(frozen=True, slots=True)
class _Act:
    key: str
    login: str
    at: datetime | None
    written: WrittenAct | None
    """Of one whose instant the change log knows."""


async def name_actors[S: BaseModel](session: AsyncSession, shapes: Sequence[S]) -> list[S]:
    """Add to each answer the names of its logins; no names for who does not see people."""
    if not sight_of(session).people or not any(isinstance(shape, Acted) for shape in shapes):
        return list(shapes)
    acts = [list(_acts(shape)) for shape in shapes]
    dates = await date_acts(session, [act.written for of in acts for act in of if act.written is not None])

    def when(act: _Act) -> datetime | None:
        return act.at if act.written is None else dates.get(act.written)

    people = await find_people(session, {(act.login, at) for of in acts for act in of if (at := when(act)) is not None})
    named: list[S] = []
    for shape, of in zip(shapes, acts, strict=True):
        found = {
            act.key: NamedActor(name=person.name, post=person.post)
            for act in of
            if (at := when(act)) is not None and (person := people.get((act.login, at))) is not None
        }
        named.append(shape.model_copy(update={"named": Named(found)}) if found else shape)
    return named


async def name_actors_of[S: BaseModel](session: AsyncSession, shape: S) -> S:
    """As `name_actors`, of one."""
    [named] = await name_actors(session, [shape])
    return named


def _acts(shape: Any) -> Iterator[_Act]:
    if not isinstance(shape, Acted):
        return
    for path, instant in shape.acts.items():
        field, _dot, inner = path.partition(".")
        records: Any = enumerate(getattr(shape, field)) if inner else [(0, shape)]
        for place, record in records:
            login = getattr(record, inner or field)
            if login is None:
                continue
            at = getattr(record, instant) if instant is not None else None
            written = WrittenAct(_id_of(shape), field, login, _until(shape)) if instant is None else None
            yield _Act(f"{field}.{place}.{inner}" if inner else field, login, at, written)


def _id_of(shape: Any) -> UUID:
    found: UUID = shape.id
    return found


def _until(shape: Any) -> datetime:
    found: datetime = shape.changed_at
    return found
