"""What every table shares: ids, revisions, codes, enums as text."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from inventory.domain.text import fold, order_key, person_order_key
from vonggac.database import new_metadata


def _values(words: type[Enum]) -> list[str]:
    return [str(word.value) for word in words]


class Base(DeclarativeBase):
    """Base of all tables. Enums are stored as text, so that a longer enum needs no migration."""

    metadata = new_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        Enum: EnumType(Enum, native_enum=False, length=32, values_callable=_values),
    }


NAME_ORDER = "name_order"
DERIVED = frozenset({"search", NAME_ORDER})
"""Columns that are made of others."""


class Thing(Base):
    """A row with an identity, a revision and a message."""

    __abstract__ = True
    noun: ClassVar[str]
    searched: ClassVar[tuple[str, ...]] = ()
    """Columns that `q` searches."""
    ordered: ClassVar[str | None] = None
    """The name of which `name_order` is the key; None: there is no such column."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    valid_from: Mapped[date | None]
    """First day on which it is in force, in Asia/Ho_Chi_Minh; None: always was."""
    valid_to: Mapped[date | None]
    """Last day, included; None: no end is known."""

    @property
    def etag(self) -> str:
        """Its revision as it stands in the headers ETag and If-Match."""
        return f'"{self.revision}"'


def derived_columns(kind: type[Thing], values: Mapping[str, Any]) -> dict[str, str]:
    """Compute the derived columns of a row: the text to search, and the key of its place in a list by name."""
    searched = " ".join(str(values[name] or "") for name in kind.searched)
    derived = {"search": fold(searched)} if kind.searched else {}
    if kind.ordered is not None:
        key = person_order_key if kind.ordered == "full_name" else order_key
        derived[NAME_ORDER] = key(str(values[kind.ordered]))
    return derived


def order_column() -> Any:
    """Build the column that sorts a list by name; compared byte by byte, whatever the database's collation."""
    return mapped_column(Text(collation="C"), server_default="")


class Coded(Thing):
    """A thing with a unique code."""

    __abstract__ = True
    searched: ClassVar[tuple[str, ...]] = ("code", "name")
    ordered = "name"

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    search: Mapped[str]
    name_order: Mapped[str] = order_column()
