"""How a noun with states is written: it begins in the first, and `status` changes by transitions alone.

What it records has happened.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from inventory.domain.days import day_of
from inventory.domain.states import StateMachine
from inventory.nouns.noun import Filter
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import invalid
from inventory.storage.tables import Thing

AHEAD = timedelta(seconds=1)
"""How far a caller's clock may be ahead of ours."""
FIELD_AHEAD = timedelta(minutes=5)
"""How far the clock of a phone in the field may be."""

DAY_TO_COME = "is a day to come: what has not happened yet is not on record"


def check_happened(now: datetime, before: Thing | None, after: Thing, *fields: str, ahead: timedelta = AHEAD) -> None:
    """Raises ProblemError 422 for a day or an instant to come in one of the fields; one that is on record stays."""
    for field in fields:
        value = getattr(after, field)
        if value is None or (before is not None and getattr(before, field) == value):
            continue
        if not isinstance(value, datetime):
            if value > day_of(now):
                raise invalid(field, DAY_TO_COME)
        elif value > now + ahead:
            raise invalid(field, "lies in the future: what has not happened yet is not on record")


def status_filter(states: type[StrEnum]) -> Mapping[str, Filter]:
    """The filter `status` of a list."""
    return {"status": Filter(states, lambda things, value, _recorded: things.c.status == value)}


class StatusWriter[State: StrEnum](Writer):
    """Fields as columns, and the status beside them."""

    def __init__(self, machine: StateMachine[State], *moved: str) -> None:
        """`moved`: further columns that a transition sets."""
        self._machine, self._moved = machine, frozenset({"status", *moved})

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new thing in the first state. Raises ProblemError."""
        thing = kind(**fields.model_dump(), **await self.columns(writing, fields), status=self._machine.initial)
        await writing.transaction.add_thing(thing)
        return thing

    async def columns(self, _writing: Write, _fields: BaseModel) -> dict[str, Any]:
        """Columns of a new thing that no caller writes."""
        return {}

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Set fields, or move to a state. Raises ProblemError or ValidationError."""
        moved = {name: value for name, value in patch.items() if name in self._moved}
        stated = {name: value for name, value in patch.items() if name not in self._moved}
        values = merge(fields, thing, stated).model_dump() if stated else {}
        await writing.transaction.change_thing(thing, values | moved)
