"""What every table shares: ids, revisions, codes, enums as text."""

from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from inventory.domain.text import fold
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


class Thing(Base):
    """A row with an identity, a revision and a message."""

    __abstract__ = True
    noun: ClassVar[str]
    searched: ClassVar[tuple[str, ...]] = ()
    """Columns that `q` searches."""

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

    def searchable(self) -> str:
        """The folded text that `q` searches."""
        return fold(" ".join(str(getattr(self, name) or "") for name in self.searched))


class Coded(Thing):
    """A thing with a unique code."""

    __abstract__ = True
    searched: ClassVar[tuple[str, ...]] = ("code", "name")

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    search: Mapped[str]
