"""What asks the register alone sees the same places as what asks for the cameras' states too, at every instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.reporting.tests.stage.letter import Letter, may

from reporting.domain.instants import millis
from reporting.reports.mandate.situation import situation, situation_of_record
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.events.inventory import RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database


async def test_both_situations_have_the_same_places(ingest: Ingest, database: Database, province: Province) -> None:
    """One camera moves, one is switched off, one is removed, one comes late; a facility never has one."""
    letter = Letter(province)
    places = [letter.facility(code) for code in "ABCDE"]
    a, b, c, d, _ = places
    moves, sleeps, ends = letter.camera(a, "A1"), letter.camera(b, "B1"), letter.camera(c, "C1")
    things: list[tuple[str, Any]] = [("facility", one) for one in places]
    things += [("camera", one) for one in (moves, sleeps, ends, letter.camera(d, "D1", may(9)))]
    things.append(("camera", letter.later(moves, may(8), facility_id=d.id)))
    things.append(("camera", letter.later(sleeps, may(8), enabled=False)))
    things.append(("camera", RemovedV1(id=ends.id, noun="camera", revision=2, removed_at=may(8))))
    things.append(("facility", RemovedV1(id=d.id, noun="facility", revision=2, removed_at=may(12))))
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    with_cameras = []
    for day in (0.5, 2, 8, 8.5, 9, 11, 12, 13):
        at = millis(may(1, day * 24))
        async with snapshot(database) as session:
            for scope in (plan.Scope(), plan.Scope(facility_id=d.id)):
                whole = await situation(session, at, 15_000, scope)
                of_record = await situation_of_record(session, at, 15_000, scope)
                for one, other in zip(whole.facilities, of_record.facilities, strict=True):
                    assert (one.facility, one.status, one.active_since, one.place) == (
                        other.facility,
                        other.status,
                        other.active_since,
                        other.place,
                    ), day
                    assert one.place.has_cameras is bool(one.cameras)
                if scope == plan.Scope():
                    with_cameras.append("".join(one.facility.code for one in whole.facilities if one.cameras))
    assert with_cameras[1] == "ABC"
    assert with_cameras[-1] == "B"
