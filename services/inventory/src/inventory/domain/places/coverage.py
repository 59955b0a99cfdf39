"""Coverage of a facility: each area that 4403/CV-BCĐ requires is covered, not covered, or not applicable (R07)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Line
from inventory.domain.places.areas import REQUIRED_AREAS, Area, PublicArea
from vonggac.events.inventory import CoverageVerdict


class CoverageFields(Dated):
    """What a survey found of one area of one facility."""

    facility_id: UUID
    area: PublicArea
    verdict: CoverageVerdict
    reason: Line | None = Field(default=None, description="Why it does not apply; needed then.")
    cameras_needed: int = Field(
        default=0, ge=0, le=1000, description="Cameras still to be installed for this area to be covered."
    )
    blind_spots: Line | None = None
    night_light: bool | None = Field(default=None, description="Whether the picture is useful at night.")

    @model_validator(mode="after")
    def _fits_its_verdict(self) -> Self:
        if self.verdict is CoverageVerdict.NOT_APPLICABLE and self.reason is None:
            msg = "give the reason why this area does not apply to the facility"
            raise ValueError(msg)
        if self.verdict is not CoverageVerdict.NOT_COVERED and self.cameras_needed:
            msg = "cameras_needed is for an area that is not covered: leave it out, or set the verdict to not_covered"
            raise ValueError(msg)
        return self


HEADINGS = {
    "facility_id": "Mã cơ sở",
    "area": "Khu vực",
    "verdict": "Kết quả",
    "reason": "Lý do",
    "cameras_needed": "Số camera còn thiếu",
    "blind_spots": "Điểm mù",
    "night_light": "Nhìn được ban đêm",
    **PERIOD_HEADINGS,
}
"""Headings of files, by column."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """The verdict on record about one area."""

    verdict: CoverageVerdict
    cameras_needed: int = 0


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """Whether a facility has enough cameras, and what it lacks."""

    sufficient: bool
    missing: tuple[Area, ...]
    """Required areas that no camera watches."""
    unassessed: tuple[Area, ...]
    """Required areas that nobody has judged and no enabled camera watches; they are missing too."""
    cameras_needed: int


def decide_sufficiency(assessed: Mapping[Area, Assessed], watched: Collection[Area]) -> Sufficiency:
    """A facility is sufficient when no required area is uncovered (R07).

    `watched`: areas of its enabled cameras. The verdict of a person stands above it: an area that a survey found not
    covered stays so until somebody changes the verdict; one found covered needs a camera that is still there.
    """
    missing, unassessed, needed = [], [], 0
    for area in REQUIRED_AREAS:
        found = assessed.get(area)
        if found is None:
            if area not in watched:
                unassessed.append(area)
                missing.append(area)
                needed += 1
        elif found.verdict is CoverageVerdict.NOT_COVERED or (
            found.verdict is CoverageVerdict.COVERED and area not in watched
        ):
            missing.append(area)
            needed += max(1, found.cameras_needed)
    return Sufficiency(not missing, tuple(missing), tuple(unassessed), needed)
