"""The effects of an import on each record, as the change log has them, and what is taken back of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from sys import intern
from typing import Annotated, Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.nouns.noun import Noun
from inventory.nouns.registry import noun_named
from inventory.storage.queries.cursors import open_cursor
from inventory.storage.tables import Change


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


NAMES = ("code", "full_name", "camera_id")
"""What names a thing, and whose delivery it is."""
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Effect:
    """All that an import did to one thing: of `before` and `after` what names it, and the fields that changed.

    `before` of what was removed has every field.
    """

    noun: str
    id: UUID
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def key(self) -> str:
        shown = self.after or self.before or {}
        return str(shown.get("code") or shown.get("full_name") or self.id)

    def then(self, later: "Effect") -> "Effect":
        """Join this with what the import did to the thing after it."""
        before = None if self.before is None else {**(later.before or {}), **self.before}
        after = None if later.after is None else {**(self.after or {}), **later.after}
        return Effect(self.noun, self.id, self.action, before, after)

    def left(self, reason: str) -> Left:
        """Leave the thing as it is."""
        return Left(self.noun, self.id, self.key, reason)


async def read_effects(session: AsyncSession, import_id: UUID) -> list[Effect]:
    """Read what the import did, a thing each, in the order of the first line.

    Deliveries of a camera that it created are left out: they go with the camera.
    """
    columns = (Change.noun, Change.thing_id, Change.action, Change.before, Change.after)
    query = select(*columns).where(Change.request_id == str(import_id)).order_by(Change.id)
    found: dict[UUID, Effect] = {}
    new_cameras: set[str] = set()
    # Some at a time: a line has two whole states, of which little is kept.
    async with open_cursor(session, query) as lines:
        async for rows in lines.partitions(CHUNK):
            for noun, thing_id, action, before, after in rows:
                if noun == "delivery" and (after or before)["camera_id"] in new_cameras:
                    continue
                if noun == "camera" and action == "created":
                    new_cameras.add(str(thing_id))
                effect = Effect(intern(noun), thing_id, intern(action), *kept(before, after))
                found[thing_id] = found[thing_id].then(effect) if thing_id in found else effect
    return list(found.values())


def kept(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Return what `Effect` keeps of the two states of a line."""
    if after is None:
        return before, None
    whole = before or {}
    names = [name for name in after if name in NAMES or (before is not None and whole.get(name) != after[name])]
    names += [name for name in whole if name not in after]
    shown = {name: after[name] for name in names if name in after}
    return None if before is None else {name: whole[name] for name in names if name in whole}, shown


def patch_back(noun: Noun, effect: Effect) -> dict[str, Any]:
    """Restore the fields that the import changed: JSON values of the log through the noun's own types."""
    before, after = effect.before or {}, effect.after or {}
    names = [name for name in noun.fields.model_fields if name in before and before[name] != after.get(name)]
    return {name: None if before[name] is None else _typed(_adapter(noun.name, name), before[name]) for name in names}


@cache
def _adapter(noun: str, name: str) -> TypeAdapter[Any]:
    """Make the adapter of a field once: that takes longer than storing a row."""
    info = noun_named(noun).fields.model_fields[name]
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind)


def _typed(adapter: TypeAdapter[Any], value: Any) -> Any:
    typed = adapter.validate_python(value)
    return typed.model_dump() if hasattr(typed, "model_dump") else typed
