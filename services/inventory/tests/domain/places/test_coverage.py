"""What may be said of an area (R07)."""

import uuid

import pytest
from pydantic import ValidationError

from inventory.domain.places.areas import REQUIRED_AREAS, Area
from inventory.domain.places.coverage import CoverageFields
from vonggac import sufficiency


def test_the_areas_are_those_of_the_rule() -> None:
    assert {area.value for area in Area} == {*sufficiency.REQUIRED_AREAS, sufficiency.OTHER_PUBLIC}
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
