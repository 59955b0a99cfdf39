"""How administrative units are written: a parent of a higher level, successions as JSON."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

from inventory.domain.places.unit import SuccessionKind, UnitFields, check_parent, check_succession
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import refuse_as_422, unknown_reference
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Thing, Unit


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
    """Raises ProblemError 422 when the parent or a unit that this one follows does not fit."""
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
