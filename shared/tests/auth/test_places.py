"""Where facilities lie, read from the register's stream on a real NATS server."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from vonggac.auth import AccessScope, Sight, places
from vonggac.auth.places import FacilityPlaces
from vonggac.bus import Bus
from vonggac.events import new_event, subjects
from vonggac.events.inventory import FacilityStatus, FacilityType, FacilityV1, RemovedV1, UnitV1

STATE: dict[str, Any] = {"changed_at": datetime(2021, 5, 7, tzinfo=UTC), "revision": 1}


async def publish(bus: Bus, noun: str, thing_id: UUID, payload: Any) -> None:
    event = new_event(payload, source="/inventory", subject=f"{noun}/{thing_id}", time=datetime.now(UTC))
    await bus.js.publish(subjects.inventory(noun, thing_id), event.model_dump_json(exclude_none=True).encode())


async def facility(bus: Bus, unit_id: UUID, agency_id: UUID, **given: Any) -> UUID:
    thing_id = given.pop("id", None) or uuid4()
    made = FacilityV1(
        id=thing_id,
        code="KCL",
        name="Khu",
        type=FacilityType.SCHOOL,
        status=FacilityStatus.ACTIVE,
        unit_id=unit_id,
        managing_agency_id=agency_id,
        **STATE,
        **given,
    )
    await publish(bus, "facility", thing_id, made)
    return thing_id


async def test_a_facility_is_seen_by_its_agency_and_by_every_unit_above_it(bus: Bus) -> None:
    province, district, commune, agency = uuid4(), uuid4(), uuid4(), uuid4()
    for unit_id, parent in ((province, None), (district, province), (commune, district)):
        await publish(bus, "unit", unit_id, UnitV1(id=unit_id, code="4", name="Xã", parent_id=parent, **STATE))
    here, there = await facility(bus, commune, agency), await facility(bus, uuid4(), uuid4())
    asked = {here, there, uuid4(), None}
    found = FacilityPlaces()
    for scope in (
        AccessScope(agencies=frozenset({agency})),
        *(AccessScope(units=frozenset({one})) for one in (province, district, commune)),
    ):
        assert await found.filter_visible(bus, Sight(scope), asked) == {here}
    assert await found.filter_visible(bus, Sight(AccessScope(facilities=frozenset({there}))), asked) == {there}
    assert await found.filter_visible(bus, Sight(), asked) == asked
    assert await found.filter_visible(bus, Sight(restricted=False), asked) == {here, there}


async def test_units_in_a_circle_end(bus: Bus) -> None:
    one, other, agency = uuid4(), uuid4(), uuid4()
    await publish(bus, "unit", one, UnitV1(id=one, code="1", name="A", parent_id=other, **STATE))
    await publish(bus, "unit", other, UnitV1(id=other, code="2", name="B", parent_id=one, **STATE))
    here = await facility(bus, one, agency)
    assert await FacilityPlaces().filter_visible(bus, Sight(AccessScope(units=frozenset({other}))), {here}) == {here}


async def test_a_site_that_is_made_restricted_or_removed_is_hidden_within_seconds(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, agency = uuid4(), uuid4()
    here = await facility(bus, unit, agency)
    found, reader = FacilityPlaces(), Sight(restricted=False)
    assert await found.filter_visible(bus, reader, {here}) == {here}
    await facility(bus, unit, agency, id=here, restricted=True)
    assert await found.filter_visible(bus, reader, {here}) == {here}, "kept for a while"
    monkeypatch.setattr(places, "KEPT_S", 0.0)
    assert await found.filter_visible(bus, reader, {here}) == set()
    assert await found.filter_visible(bus, Sight(AccessScope(agencies=frozenset({agency}))), {here}) == {here}
    removed = RemovedV1(id=here, noun="facility", revision=3, removed_at=datetime.now(UTC))
    await publish(bus, "facility", here, removed)
    assert await found.filter_visible(bus, Sight(AccessScope(agencies=frozenset({agency}))), {here}) == set()


async def test_a_facility_is_seen_by_the_district_that_ended_where_it_lay(bus: Bus) -> None:
    province, district, before, beside, now, across = (uuid4() for _ in range(6))
    ended: dict[str, Any] = {"valid_to": date(2025, 6, 30), **STATE}
    merged = [{"unit_id": before, "kind": "merged"}]
    for unit in (
        UnitV1(id=province, code="44", name="Tỉnh", **STATE),
        UnitV1(id=district, code="466", name="Huyện", **ended),
        UnitV1(id=before, code="1", name="Xã cũ", parent_id=district, **ended),
        UnitV1(id=beside, code="2", name="Xã cũ khác", **ended),
        UnitV1.model_validate(
            {"id": now, "code": "3", "name": "Xã", "parent_id": province, "succeeds": merged} | STATE
        ),
        UnitV1.model_validate(
            {"id": across, "code": "4", "name": "Xã", "parent_id": province}
            | {"succeeds": [*merged, {"unit_id": beside, "kind": "merged"}]}
            | STATE
        ),
    ):
        await publish(bus, "unit", unit.id, unit)
    here, there = await facility(bus, now, uuid4()), await facility(bus, across, uuid4())
    found = FacilityPlaces()
    for unit_id, seen in ((district, {here}), (province, {here, there}), (before, {here}), (beside, set())):
        assert await found.filter_visible(bus, Sight(AccessScope(units=frozenset({unit_id}))), {here, there}) == seen
