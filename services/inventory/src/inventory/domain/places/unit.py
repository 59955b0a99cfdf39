"""Administrative units: provinces, districts and communes, each with its validity in time and its successors.

A code is a unit's own only while the unit is valid: 44 is Quảng Bình until 30/6/2025 and Quảng Trị from 01/7/2025
(QĐ 124/2004/QĐ-TTg: a merged province takes the code of the province where its seat lies).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, Self
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Code, Fields, Line, Name
from inventory.domain.fields import Dated as DatedFields
from vonggac.events.inventory import UnitLevel


class SuccessionKind(StrEnum):
    """How a unit passed into another."""

    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"
    MOVED = "moved"


_WHOLE = frozenset({SuccessionKind.MERGED, SuccessionKind.RENAMED})
"""Nothing of the earlier unit is left."""


class Succession(Fields):
    """A unit that this one follows."""

    unit_id: UUID = Field(description="The earlier unit.")
    kind: SuccessionKind


class UnitFields(DatedFields):
    """The fields of an administrative unit."""

    code: Code = Field(description="Official code of the unit, as text for its leading zeros.")
    name: Name
    level: UnitLevel = UnitLevel.DISTRICT
    parent_id: UUID | None = Field(default=None, description="The unit that it belongs to; null for a province.")
    legal_basis: Line | None = Field(default=None, description="Decision that founded or dissolved the unit.")
    succeeds: tuple[Succession, ...] = Field(default=(), max_length=50, description="The units that it follows.")

    @model_validator(mode="after")
    def _a_province_has_no_parent(self) -> Self:
        if self.level is UnitLevel.PROVINCE and self.parent_id is not None:
            msg = "a province belongs to no unit: leave parent_id out"
            raise ValueError(msg)
        followed = [one.unit_id for one in self.succeeds]
        if len(set(followed)) < len(followed):
            msg = "succeeds names a unit twice: name each once"
            raise ValueError(msg)
        return self


HEADINGS = {
    "code": "Mã đơn vị",
    "name": "Tên đơn vị",
    "level": "Cấp",
    "parent_id": "Mã đơn vị cấp trên",
    "legal_basis": "Căn cứ pháp lý",
    "succeeds": "Kế thừa",
    **PERIOD_HEADINGS,
}
"""Headings of files, by column."""


class Dated(Protocol):
    """What has a first and a last day, both included; None is without bound."""

    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included; None is without bound."""

    valid_from: date | None = None
    valid_to: date | None = None


def overlap(one: Dated, other: Dated) -> bool:
    """Whether two periods share a day."""
    starts_late = one.valid_from is not None and other.valid_to is not None and one.valid_from > other.valid_to
    ends_early = one.valid_to is not None and other.valid_from is not None and one.valid_to < other.valid_from
    return not starts_late and not ends_early


def holds_on(period: Dated, day: date) -> bool:
    """Whether `day` lies in the period."""
    return overlap(period, Period(day, day))


def check_parent(level: UnitLevel, period: Dated, parent_level: UnitLevel, parent: Dated) -> None:
    """Raise ValueError unless the parent is of a higher level and stands on a day of the unit's own period."""
    if _RANK[parent_level] >= _RANK[level]:
        msg = f"a {level} belongs to a unit of a higher level, not to a {parent_level}"
        raise ValueError(msg)
    if not overlap(period, parent):
        msg = "the two units never stand on the same day: give the unit that stands in this period"
        raise ValueError(msg)


def check_succession(unit: Dated, earlier: Dated, kind: SuccessionKind) -> None:
    """Raise ValueError unless the earlier unit began before `unit`, and ended by then if all of it passed over."""
    if unit.valid_from is None:
        return
    if earlier.valid_from is not None and earlier.valid_from >= unit.valid_from:
        msg = f"a unit follows one that began before it: that one begins on {earlier.valid_from.isoformat()}"
        raise ValueError(msg)
    if kind in _WHOLE and earlier.valid_to is not None and earlier.valid_to >= unit.valid_from:
        last = earlier.valid_to.isoformat()
        msg = f"a unit that was {kind} ends before the one that follows it begins: it ends on {last}"
        raise ValueError(msg)


def latest[D: Dated](units: Iterable[D], day: date) -> D | None:
    """Find the unit that stands on `day`; else the one that ended last before it; else the first after it."""
    ordered = sorted(units, key=lambda one: one.valid_from or date.min)
    in_force = [one for one in ordered if holds_on(one, day)]
    if in_force:
        return in_force[-1]
    ended = sorted((one for one in ordered if one.valid_to is not None and one.valid_to < day), key=_last_day)
    first = ordered[0] if ordered else None
    return ended[-1] if ended else first


def _last_day(period: Dated) -> date:
    return period.valid_to or date.max


_RANK = {UnitLevel.PROVINCE: 0, UnitLevel.DISTRICT: 1, UnitLevel.COMMUNE: 2}
