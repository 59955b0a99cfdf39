"""Whether a facility has enough cameras (R07): one rule, of every paper and every answer."""

from hypothesis import given
from hypothesis import strategies as st

from vonggac.events.inventory import CoverageVerdict
from vonggac.sufficiency import OTHER_PUBLIC, REQUIRED_AREAS, SUFFICIENT, Assessed, decide_sufficiency

COVERED, NOT_COVERED = Assessed(CoverageVerdict.COVERED), CoverageVerdict.NOT_COVERED
ALL = dict.fromkeys(REQUIRED_AREAS, COVERED)
AREAS = (*REQUIRED_AREAS, OTHER_PUBLIC)


def test_every_required_area_watched_is_sufficient() -> None:
    assert decide_sufficiency(ALL, REQUIRED_AREAS).sufficient is True
    assert decide_sufficiency({}, REQUIRED_AREAS).sufficient is True


def test_what_a_survey_found_covered_is_so_before_its_cameras_are_in_the_register() -> None:
    assert decide_sufficiency(ALL).sufficient is True


def test_sufficiency_one_an_area_that_nobody_assessed_is_no_camera() -> None:
    found = decide_sufficiency({})
    assert (found.sufficient, found.unassessed, found.uncovered, found.cameras_needed) == (None, REQUIRED_AREAS, (), 0)
    assert SUFFICIENT[found.sufficient] == "chưa đánh giá"
    half = decide_sufficiency({"gate": Assessed(NOT_COVERED, 4)})
    assert (half.sufficient, half.uncovered, half.cameras_needed) == (False, ("gate",), 4)


def test_a_survey_s_not_covered_stands_above_a_camera_of_that_area() -> None:
    found = decide_sufficiency(ALL | {"corridor": Assessed(NOT_COVERED, 3)}, REQUIRED_AREAS)
    assert (found.sufficient, found.missing, found.cameras_needed) == (False, ("corridor",), 3)


def test_an_uncovered_area_without_a_number_needs_one_camera() -> None:
    assert decide_sufficiency({"yard": Assessed(NOT_COVERED)}).cameras_needed == 1


def test_covered_is_missing_once_its_camera_is_gone() -> None:
    watched = [area for area in REQUIRED_AREAS if area != "gate"]
    found = decide_sufficiency(ALL, watched, REQUIRED_AREAS)
    assert (found.sufficient, found.missing, found.cameras_needed) == (False, ("gate",), 1)


def test_what_does_not_apply_is_not_missing() -> None:
    without = {area for area in REQUIRED_AREAS if area != "sampling"}
    assert decide_sufficiency(ALL | {"sampling": Assessed(CoverageVerdict.NOT_APPLICABLE)}, without).sufficient is True


def test_another_public_area_is_asked_of_nobody_and_missing_when_found_uncovered() -> None:
    assert OTHER_PUBLIC not in decide_sufficiency({}).missing
    found = decide_sufficiency({**ALL, OTHER_PUBLIC: Assessed(NOT_COVERED, 2)})
    assert (found.sufficient, found.uncovered, found.cameras_needed) == (False, (OTHER_PUBLIC,), 2)


@given(
    st.dictionaries(st.sampled_from(AREAS), st.builds(Assessed, st.sampled_from(CoverageVerdict), st.integers(0, 3))),
    st.sets(st.sampled_from(AREAS)),
    st.sets(st.sampled_from(AREAS)),
)
def test_cameras_are_needed_where_an_area_was_found_uncovered_and_nowhere_else(
    assessed: dict[str, Assessed], watched: set[str], once: set[str]
) -> None:
    found = decide_sufficiency(assessed, watched, once | watched)
    assert (found.cameras_needed > 0) == (found.sufficient is False) == bool(found.uncovered)
    assert found.cameras_needed >= len(found.uncovered)
    assert not assessed.keys() & set(found.unassessed)
    assert (found.sufficient is True) == (not found.missing)
    for area, (verdict, _) in assessed.items():
        if verdict is NOT_COVERED:
            assert area in found.uncovered
        elif verdict is CoverageVerdict.NOT_APPLICABLE:
            assert area not in found.missing
