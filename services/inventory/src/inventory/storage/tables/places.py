"""Units and facilities."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from inventory.storage.tables.base import Coded
from vonggac.events.inventory import (
    FacilityStatus,
    FacilityType,
)


class District(Coded):
    __tablename__ = "districts"
    noun = "district"

    legal_basis: Mapped[str | None]


class Facility(Coded):
    __tablename__ = "facilities"
    noun = "facility"
    searched = ("code", "name", "address")

    type: Mapped[FacilityType]
    status: Mapped[FacilityStatus]
    district_id: Mapped[UUID] = mapped_column(ForeignKey("districts.id"), index=True)
    managing_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    address: Mapped[str | None]
    beds: Mapped[int | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[date | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    restricted: Mapped[bool]
