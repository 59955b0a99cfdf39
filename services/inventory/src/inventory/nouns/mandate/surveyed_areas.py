"""What an approved survey found of each area becomes the facility's coverage (R07): one verdict for all readers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from inventory.domain.mandate.surveying.form import SurveyedArea, assessed_areas
from inventory.domain.places.areas import Area
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Coverage, Survey
from vonggac.events.inventory import CoverageVerdict, SurveyStatus


async def record_coverage(transaction: WriteTransaction, before: Any | None, after: Any | None) -> None:
    """Write the verdicts of a survey that is being approved; the newest word about an area stands.

    An area that the survey did not judge keeps the verdict that it has.
    """
    if not isinstance(after, Survey) or after.status is not SurveyStatus.APPROVED or after.form is None:
        return
    if before is not None and before.status is after.status:
        return
    rows = await transaction.session.scalars(select(Coverage).where(Coverage.facility_id == after.facility_id))
    present = {one.area: one for one in rows}
    for name, found in assessed_areas(after.form.areas).items():
        area = Area(name)
        said = [one for one in after.form.areas if one.area is area]
        values = {
            "facility_id": after.facility_id,
            "area": area,
            "verdict": found.verdict,
            "cameras_needed": max(1, found.cameras_needed) if found.verdict is CoverageVerdict.NOT_COVERED else 0,
            "reason": _joined(said, "reason"),
            "blind_spots": _joined(said, "blind_spots"),
            "night_light": next((one.night_light for one in said if one.night_light is not None), None),
        }
        if area in present:
            # The verdict holds from now on; a period that somebody gave the one before was of that one.
            await transaction.change_thing(present[area], {**values, "valid_from": None, "valid_to": None})
        else:
            await transaction.add_thing(Coverage(**values))


def _joined(said: Sequence[SurveyedArea], name: str) -> str | None:
    """Join what was written of areas of one kind, as long as a line may be."""
    words = "; ".join(dict.fromkeys(getattr(one, name) for one in said if getattr(one, name) is not None))
    return words[:500] or None
