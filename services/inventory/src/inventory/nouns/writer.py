"""How what a caller writes becomes columns: plainly, unless a noun has a writer of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from inventory.domain.places.retention import DEFAULT_RETENTION, Retention
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Thing
from vonggac.auth import Principal, Sealer
from vonggac.net.allowed_networks import AllowedNetworks


@dataclass(frozen=True, slots=True)
class Write:
    """One write of one caller."""

    transaction: WriteTransaction
    caller: Principal
    sealer: Sealer
    allowed: AllowedNetworks | None
    """Networks in which addresses may be; None: any."""
    retention: Retention = DEFAULT_RETENTION
    """How long data of closed facilities are kept."""
    asked_by: str | None = None
    """Who asked for what is carried out; None: the caller writes it itself."""
    passwords: dict[UUID, str] = field(default_factory=dict, repr=False)
    """Of the centres that this write added: for the one answer that shows them, and stored nowhere."""


class Writer:
    """The plain way: each field is the column of its name. Nouns with addresses or secrets override it."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new thing. Raises ProblemError."""
        thing = kind(**fields.model_dump())
        await writing.transaction.add_thing(thing)
        return thing

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Set what `patch` holds; the thing as a whole must fit `fields`. Raises ProblemError or ValidationError."""
        await writing.transaction.change_thing(thing, merge(fields, thing, patch).model_dump())

    async def remove(self, writing: Write, thing: Thing) -> None:
        """Delete a thing that nothing refers to. Raises ProblemError."""
        await writing.transaction.remove_thing(thing)


def merge[M: BaseModel](model: type[M], thing: Thing, patch: Mapping[str, Any]) -> M:
    """Merge `patch` over the thing's fields, and check them as a whole. Raises ValidationError."""
    present = {name: getattr(thing, name) for name in model.model_fields if hasattr(thing, name)}
    return model.model_validate({**present, **patch})
