"""Imports: who sent which file, how far it is, what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from inventory.storage.tables.base import Base


class ImportRow(Base):
    """One import. Its lines of the change log have its id as their request id."""

    __tablename__ = "imports"
    __table_args__ = (Index("ix_imports_began_at_id", "began_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    dry_run: Mapped[bool]
    file_name: Mapped[str | None]
    sha256: Mapped[str]
    sent_by: Mapped[str]
    request_id: Mapped[str]
    reason: Mapped[str | None]
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """When the process that runs it was heard of last."""
    finished_at: Mapped[datetime | None]
    phase: Mapped[str]
    rows: Mapped[int]
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    stop_wanted: Mapped[bool]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Of a refused one: the answer with its mistakes, without secrets."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The difference of a dry run in the background."""
    reverted_at: Mapped[datetime | None]
    reverted_by: Mapped[str | None]
