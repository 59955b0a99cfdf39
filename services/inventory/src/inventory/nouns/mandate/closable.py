"""How surveys, plans and proposals are written: fields until they are closed, states by dated transitions."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from inventory.domain.states import StateMachine
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.tables import Thing
from vonggac.http import ProblemError


def columns_of(fields: BaseModel) -> dict[str, Any]:
    """Return what a caller wrote, one value per column; structured values stay as they are."""
    return {name: getattr(fields, name) for name in type(fields).model_fields}


class ClosableWriter(Writer):
    """Begins in the first state of its machine. `own_columns`: those that only the register writes."""

    own_columns: frozenset[str] = frozenset()

    def __init__(self, machine: StateMachine[Any]) -> None:
        self._machine = machine

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new thing. Raises ProblemError."""
        now = writing.transaction.now
        values = columns_of(fields) | await self.columns(writing, fields)
        thing = kind(**values, status=self._machine.initial, status_since=now)
        await writing.transaction.add_thing(thing)
        return thing

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Set fields of an open thing, or its state. Raises ProblemError 409, or ValidationError."""
        values = {name: value for name, value in patch.items() if name in self.own_columns}
        stated = {name: value for name, value in patch.items() if name not in {"status", *self.own_columns}}
        if stated:
            self.refuse_closed(thing, stated)
            values |= columns_of(merge(fields, thing, stated))
        if "status" in patch:
            values |= await self.transition_columns(writing, thing, patch["status"])
            values |= {"status": patch["status"], "status_since": writing.transaction.now}
        await writing.transaction.change_thing(thing, values)

    async def columns(self, _writing: Write, _fields: BaseModel) -> dict[str, Any]:
        """Columns of a new thing that no caller writes."""
        return {}

    async def transition_columns(self, _writing: Write, _thing: Any, _target: Any) -> dict[str, Any]:
        """Columns that a transition sets; the machine is asked after it."""
        return {}

    def refuse_closed(self, _thing: Any, _stated: Mapping[str, Any]) -> None:
        """Raise ProblemError 409 when the thing is in a state that allows no change of these fields."""


def closed(detail: str) -> ProblemError:
    """Build the 409 of a change that comes too late."""
    return ProblemError(HTTPStatus.CONFLICT, "closed", detail)
