"""What a scope covers, and what a caller sees."""

from uuid import UUID, uuid4

import pytest

from vonggac.auth import AccessScope, Place, Sight

AGENCY, OTHER_AGENCY = uuid4(), uuid4()
PROVINCE, DISTRICT, OTHER_DISTRICT, COMMUNE = uuid4(), uuid4(), uuid4(), uuid4()
FACILITY = uuid4()
HERE = Place(FACILITY, AGENCY, frozenset({COMMUNE, DISTRICT, PROVINCE}), restricted=False)
HIDDEN = HERE._replace(restricted=True)


def scope(**ids: UUID) -> AccessScope:
    return AccessScope(**{name: frozenset({one}) for name, one in ids.items()})


@pytest.mark.parametrize(
    "covering",
    [
        scope(agencies=AGENCY),
        scope(units=COMMUNE),
        scope(units=DISTRICT),
        scope(units=PROVINCE),
        scope(facilities=FACILITY),
        scope(agencies=OTHER_AGENCY, facilities=FACILITY),
    ],
)
def test_a_scope_covers_what_any_of_its_parts_covers(covering: AccessScope) -> None:
    assert covering.covers(HERE)
    assert AccessScope.parse(covering.parts) == covering


@pytest.mark.parametrize(
    "other",
    [
        scope(agencies=OTHER_AGENCY),
        scope(units=OTHER_DISTRICT),
        scope(facilities=uuid4()),
        AccessScope(),
        # The id of one kind is none of another.
        scope(agencies=FACILITY),
        scope(facilities=AGENCY),
        scope(units=AGENCY),
    ],
)
def test_a_scope_covers_nothing_else(other: AccessScope) -> None:
    assert not other.covers(HERE)


def test_a_scope_does_not_open_what_is_restricted() -> None:
    assert not Sight(scope(facilities=FACILITY), restricted=False).shows(HIDDEN)
    assert Sight(scope(facilities=FACILITY), restricted=True).shows(HIDDEN)
    assert Sight(None, restricted=False).shows(HERE)
    assert not Sight(None, restricted=False).shows(HIDDEN)


def test_what_stands_nobody_knows_where_is_shown_to_those_who_see_everything() -> None:
    assert Sight().shows(None)
    assert not Sight(None, restricted=False).shows(None)
    assert not Sight(scope(units=PROVINCE)).shows(None)
