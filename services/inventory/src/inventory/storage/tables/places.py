"""Units and facilities."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.places.areas import Area
from inventory.storage.tables.base import Base, Coded, Thing
from vonggac.events.inventory import (
    CoverageVerdict,
    FacilityStatus,
    FacilityType,
    UnitLevel,
)


class Unit(Coded):
    """An administrative unit. A code is unique among the units of one level that stand on the same day, folded."""

    __tablename__ = "units"
    __table_args__ = (
        ExcludeConstraint(
            (text("folded_code(code)"), "="),
            ("level", "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_units_code",
        ),
    )
    noun = "unit"

    code: Mapped[str] = mapped_column()
    level: Mapped[UnitLevel]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    legal_basis: Mapped[str | None]
    succeeds: Mapped[list[dict[str, Any]]] = mapped_column(JSONB(), server_default="[]")


class Facility(Coded):
    __tablename__ = "facilities"
    noun = "facility"
    searched = ("code", "name", "address")

    type: Mapped[FacilityType]
    status: Mapped[FacilityStatus]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    managing_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    address: Mapped[str | None]
    beds: Mapped[int | None]
    occupancy: Mapped[int | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[date | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    restricted: Mapped[bool]

    @property
    def founded_on(self) -> date | None:
        """Day of the decision that founds it, else its first day in force."""
        return self.decision_date or self.valid_from


class FacilityLink(Base):
    """A token by which a facility does its own acts until it ends; its message has the digest, and never the token."""

    __tablename__ = "facility_links"
    logged_as: ClassVar = "facility_link"
    """As the change log names it."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    """Of 32 random bytes: nobody guesses them."""
    for_whom: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    revoked_why: Mapped[str | None]


class Purge(Base):
    """That the data of a closed facility was purged: what kinds and how many, never the data."""

    __tablename__ = "purges"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(index=True)
    facility_code: Mapped[str]
    closed_at: Mapped[datetime]
    due_on: Mapped[date]
    retention_days: Mapped[int]
    retention_source: Mapped[str]
    purged_at: Mapped[datetime]
    asked_by: Mapped[str]
    decided_by: Mapped[str]
    request_id: Mapped[UUID]
    """The decision request that was granted."""
    reason: Mapped[str]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB())


class Coverage(Thing):
    """The verdict about one area of one facility."""

    __tablename__ = "coverages"
    __table_args__ = (UniqueConstraint("facility_id", "area"),)
    noun = "coverage"

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"))
    area: Mapped[Area]
    verdict: Mapped[CoverageVerdict]
    reason: Mapped[str | None]
    cameras_needed: Mapped[int]
    blind_spots: Mapped[str | None]
    night_light: Mapped[bool | None]
