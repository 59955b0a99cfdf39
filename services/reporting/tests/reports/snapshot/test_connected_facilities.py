"""A facility is connected by one rule: of a report's days, of the board, and of the obligation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from services.reporting.tests.stage.letter import Letter, may

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.reports.snapshot.collect import Extent, collect
from reporting.storage import plan
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

MINUTE = 1 / 60


def sent(letter: Letter, camera: CameraV1, *spans: tuple[float, float]) -> list[CloudEvent[Payload]]:
    """Up all of 9/5, and acknowledged at both centres in these hours of it."""
    province = letter.province
    events = [province.probe(camera, may(9), every_s=43_200, awake_since=letter.begin)]
    for planned in camera.deliveries:
        changes: list[tuple[datetime, str]] = [(may(9), "stalled")]
        for start, end in spans:
            changes += [(may(9, start), "acknowledged"), (may(9, end), "stalled")]
        events += [
            province.change(planned, camera, number, at, state, held_since=may(9))
            for number, (at, state) in enumerate(changes, start=1)
        ]
    return events


async def test_the_days_of_a_report_count_the_facilities_that_the_obligation_and_the_board_do(
    client: Client, ingest: Ingest, province: Province, database: Database
) -> None:
    letter = Letter(province)
    places = {code: letter.facility(code) for code in "ABCDE"}
    cameras = {code: letter.camera(places[code[0]], code) for code in ("A1", "B1", "C1", "C2", "D1", "E1")}
    cameras["A2"] = letter.camera(places["A"], "A2", area="other_public")
    # A: its needed camera for half an hour. B: twelve minutes in two parts. C: two cameras one after the other.
    # D: ten minutes, no more. E: nine.
    facts = sent(letter, cameras["A1"], (10, 10.5)) + sent(letter, cameras["A2"])
    facts += sent(letter, cameras["B1"], (10, 10 + 6 * MINUTE), (11, 11 + 6 * MINUTE))
    facts += sent(letter, cameras["C1"], (10, 10.5)) + sent(letter, cameras["C2"], (12, 12.5))
    facts += sent(letter, cameras["D1"], (15, 15 + 10 * MINUTE)) + sent(letter, cameras["E1"], (15, 15 + 9 * MINUTE))
    things: list[tuple[str, Any]] = [("facility", one) for one in places.values()]
    things += [("camera", one) for one in cameras.values()]
    things.append(("obligation", letter.obligation("NV-1742-B", "connection")))
    watched = [one(may(10), awake_since=letter.begin) for one in (province.alive, province.prober_alive)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    await province.feed(ingest, *facts, *watched)

    owed = (await client.get("/v1/obligations", params={"as_of": may(10).isoformat()})).json()["items"]
    done = sorted(one["facility"]["code"] for one in owed if one["done_at"] is not None)
    assert done == ["A", "D"]
    asked = {"from": may(8).isoformat(), "to": may(10).isoformat()}
    report = (await client.post("/v1/reports", json=asked)).json()
    days = (await client.get(f"/v1/reports/{report['id']}.json")).json()["tables"]["days"]
    assert [(one["facilities"], one["facilities_connected"]) for one in days] == [(5, 0), (5, len(done))]
    assert [one["cameras"] for one in days] == [7, 7]
    # A further version of a report of rule 2: ten minutes in all, of every camera. B, C and D.
    question = Question(Period(millis(may(8)), millis(may(10))), millis(may(10, 3)), 0, "Asia/Ho_Chi_Minh")
    async with snapshot(database) as session:
        by_rule_2 = await collect(
            session, Extent(question, plan.Scope(), ZoneInfo("Asia/Ho_Chi_Minh"), by_earlier_rule=True)
        )
    assert [one["facilities_connected"] for one in by_rule_2["days"]] == [0, 3]
    at = {"as_of": may(9, 10 + 5 * MINUTE).isoformat()}
    board = (await client.get("/v1/progress/facilities", params=at)).json()["items"]
    assert [one["facility"]["code"] for one in board if one["connected_both"]] == ["A", "B"]
