"""Agencies, focal points and teams."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.storage.tables.base import Coded, Thing, order_column
from vonggac.events.inventory import (
    AgencyRole,
)


class Agency(Coded):
    __tablename__ = "agencies"
    noun = "agency"

    role: Mapped[AgencyRole]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agencies.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("agencies.id"), index=True)


class OperatorAssignment(Thing):
    """A province has one operator a day."""

    __tablename__ = "operator_assignments"
    __table_args__ = (
        ExcludeConstraint(
            ("unit_id", "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_operator_assignments_unit_id",
        ),
    )
    noun = "operator_assignment"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    valid_from: Mapped[date] = mapped_column(nullable=False)
    document: Mapped[str | None]


class ApprovalRule(Thing):
    """A province has one rule a day."""

    __tablename__ = "approval_rules"
    __table_args__ = (
        ExcludeConstraint(
            ("unit_id", "="),
            (text("daterange(valid_from, valid_to, '[]')"), "&&"),
            name="ex_approval_rules_unit_id",
        ),
    )
    noun = "approval_rule"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    two_persons: Mapped[bool]
    valid_from: Mapped[date] = mapped_column(nullable=False)
    why: Mapped[str]


class FocalPoint(Thing):
    __tablename__ = "focal_points"
    noun = "focal_point"
    searched = ("full_name", "position", "phone", "email", "unit")
    ordered = "full_name"

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    full_name: Mapped[str]
    position: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str | None]
    unit: Mapped[str | None]
    valid_from: Mapped[date] = mapped_column(nullable=False)
    appointment_document: Mapped[str | None]
    appointment_signed_on: Mapped[date | None]
    appointment_file: Mapped[str | None]
    recorded_by: Mapped[str | None]
    search: Mapped[str]
    name_order: Mapped[str] = order_column()


class Team(Coded):
    __tablename__ = "teams"
    noun = "team"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)


class TeamMember(Thing):
    __tablename__ = "team_members"
    noun = "team_member"
    searched = ("full_name", "position", "phone")
    ordered = "full_name"

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"), index=True)
    full_name: Mapped[str]
    position: Mapped[str]
    phone: Mapped[str | None]
    search: Mapped[str]
    name_order: Mapped[str] = order_column()
