"""Whether a facility has enough cameras (R07)."""

import uuid

import pytest
from pydantic import ValidationError

from inventory.domain.places.areas import REQUIRED_AREAS, Area
from inventory.domain.places.coverage import (
    Assessed,
    CoverageFields,
    decide_sufficiency,
)
from vonggac.events.inventory import CoverageVerdict

ALL = {area: Assessed(CoverageVerdict.COVERED) for area in REQUIRED_AREAS}


def test_every_required_area_watched_is_sufficient() -> None:
    assert decide_sufficiency(ALL, REQUIRED_AREAS).sufficient
    assert decide_sufficiency({}, REQUIRED_AREAS).sufficient


def test_an_area_that_nobody_watches_nor_judged_is_missing() -> None:
    watched = [area for area in REQUIRED_AREAS if area is not Area.YARD]
    found = decide_sufficiency({}, watched)
    assert (found.sufficient, found.missing, found.unassessed, found.cameras_needed) == (
        False, (Area.YARD,), (Area.YARD,), 1,
    )  # fmt: skip


def test_a_survey_s_not_covered_stands_above_a_camera_of_that_area() -> None:
    found = decide_sufficiency(ALL | {Area.CORRIDOR: Assessed(CoverageVerdict.NOT_COVERED, 3)}, REQUIRED_AREAS)
    assert (found.missing, found.cameras_needed) == ((Area.CORRIDOR,), 3)


def test_covered_needs_a_camera_that_is_still_there() -> None:
    assert decide_sufficiency(ALL, [area for area in REQUIRED_AREAS if area is not Area.GATE]).missing == (Area.GATE,)


def test_what_does_not_apply_is_not_missing() -> None:
    without = {area for area in REQUIRED_AREAS if area is not Area.SAMPLING}
    assert decide_sufficiency(ALL | {Area.SAMPLING: Assessed(CoverageVerdict.NOT_APPLICABLE)}, without).sufficient


def test_other_public_areas_are_not_required() -> None:
    assert Area.OTHER_PUBLIC not in REQUIRED_AREAS


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"verdict": "not_applicable"}, "give the reason"),
        ({"verdict": "covered", "cameras_needed": 2}, "not covered"),
        ({"area": "bathroom", "verdict": "covered"}, "must not watch rooms, toilets or bathrooms"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(given: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        CoverageFields.model_validate({"facility_id": str(uuid.uuid4()), "area": "yard"} | given)
