"""The declaration of a noun.

A simple noun needs no code beside its fields, its table and its payload: `inventory.api.nouns` makes its routes. What
is particular about it stands here as a hook.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.fields import Fields
from inventory.domain.states import StateMachine
from inventory.nouns.shown import Shown
from inventory.nouns.writer import Writer
from inventory.storage.queries.lists import Recorded
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Thing
from vonggac.events import Payload

type Group = Literal["people", "places", "devices", "mandate"]
type Hook = Callable[[WriteTransaction, Any, Any], Awaitable[None]]
"""Called in the write's transaction with the thing before the change (None: it is new) and after it (None: it goes)."""
type Condition = Callable[[FromClause, Any, Recorded], ColumnElement[bool]]
"""Whether each of the things has the value, which may be one of what they refer to."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list that is no column of its own: `unit_id` of cameras."""

    kind: Any
    """Type of its value."""
    condition: Condition


def no_reason(_before: Any, _after: Any) -> str | None:
    """Nobody is asked why."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Noun:
    """One noun of the register.

    `fields` is what a caller writes, checked as a whole; `patch` what a change may hold (None: every field, each
    optional); `shown` what is answered (None: made from the fields). `references` names the noun that a field refers
    to: it must exist, and what is referred to is not removed. `asks_reason` says in a few words what a reason is
    demanded for, given the thing before and after a change; `None`: for nothing. A removal always needs one.
    """

    name: str
    """Singular, as in the change log and in subjects: `focal_point`."""
    path: str
    """Plural, as in addresses: `focal-points`."""
    vietnamese: str
    group: Group
    about: str = ""
    """What the API's documentation says of it, one sentence."""
    table: type[Thing]
    fields: type[Fields]
    patch: type[BaseModel] | None = None
    shown: type[Shown] | None = None
    payload: type[Payload] | None = None
    """Published as the whole state on `inventory.<noun>.<id>`; None: it is part of another noun's message."""
    headings: Mapping[str, str] = field(default_factory=dict)
    """Field to the Vietnamese heading of files."""
    key: tuple[str, ...] = ("code",)
    """How a file's row finds its record."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Field to the noun it refers to."""
    mentions: Mapping[str, str] = field(default_factory=dict)
    """A field that lists ids, `facility_ids`, or the ids within its records, `participants.agency_id`, to the noun that
    they are of: what is mentioned is not removed either."""
    filters: tuple[str, ...] = ()
    """Fields that a list is filtered by, beside q, as_of and valid_on."""
    more_filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: tuple[str, ...] = ("code",)
    """What a list is sorted by; the first is the usual one."""
    label: str = "code"
    """The column that names one in a refusal."""
    owns: tuple[str, ...] = ()
    """Nouns that refer to it and go with it."""
    unchangeable: frozenset[str] = frozenset()
    """Fields that are given once, when it is created."""
    hand_written: frozenset[Literal["create", "change", "remove", "bulk", "transitions"]] = frozenset()
    """Routes that are not made from the declaration."""
    searched_through: tuple[str, ...] = ()
    """References whose names `q` searches too."""
    machine: StateMachine[Any] | None = None
    """Of the field `status`: it then changes as its table allows, by PATCH as by a transition."""
    asks_reason: Callable[[Any, Any], str | None] = no_reason
    check: Hook | None = None
    """Rules that need other records; raises ProblemError."""
    after_change: Hook | None = None
    item: type[Shown] | None = None
    """What one is answered with, where that is more than in a list: `expand` reads it."""
    expand: Callable[[AsyncSession, Mapping[str, Any], Recorded], Awaitable[Mapping[str, Any]]] | None = None
    shows_others: bool = False
    """What one is answered with follows from other records or the day as well: its ETag does not say all of it."""
    guards: Callable[[WriteTransaction, Any, Any], Awaitable[Collection[str]]] | None = None
    """Which guards of the machine hold for a thing, as it will be, on its way to a state."""
    writer: Writer = field(default_factory=Writer)
    """Makes the columns of what a caller writes."""

    @property
    def singular(self) -> str:
        """As a person says it: `focal point`."""
        return self.name.replace("_", " ")

    @property
    def one(self) -> str:
        """With its article: `an agency`, `a unit`."""
        return f"{'an' if self.name[0] in 'aeio' else 'a'} {self.singular}"

    @property
    def title(self) -> str:
        """As a class is named: `FocalPoint`."""
        return "".join(word.capitalize() for word in self.name.split("_"))
