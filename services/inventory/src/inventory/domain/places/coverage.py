"""Coverage of a facility: each area that 4403/CV-BCĐ requires is covered, not covered, or not applicable (R07)."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Line
from inventory.domain.places.areas import PublicArea
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
