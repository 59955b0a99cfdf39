"""Raw and confirmed states, and faults of whole sites as one outage."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vonggac.events import new_event
from vonggac.events.causes import Cause
from vonggac.events.prober import SiteObservedV1, SiteState

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events import CloudEvent, Payload

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(hours=1)).isoformat()}


def minutes(count: float) -> datetime:
    return DAY + timedelta(minutes=count)


def site(province: Province, cameras: list[Any], began: float, ended: float | None) -> CloudEvent[Payload]:
    fault = SiteObservedV1(
        facility_id=province.facility,
        state=SiteState.FAILING if ended is None else SiteState.OVER,
        cause=Cause.ROUTE,
        camera_ids=tuple(one.id for one in cameras),
        began_at=minutes(began),
        ended_at=None if ended is None else minutes(ended),
    )
    return new_event(fault, source="/prober/site", subject=str(province.facility), time=minutes(ended or began))


async def outages(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/outages", params=PERIOD)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_site_fault_is_one_outage_with_its_cameras_in_whatever_order_it_is_reported(
    client: Client, ingest: Ingest, province: Province
) -> None:
    dark, other = [province.camera(f"CAM-0{number}") for number in range(1, 5)], province.camera("CAM-05")
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in [*dark, other]))
    facts: list[CloudEvent[Payload]] = []
    for number, camera in enumerate(dark):
        began, ended = 10 + number * 0.5, 20 + number * 0.5
        facts += province.probes(camera, minutes(0), minutes(began))
        facts += province.probes(camera, minutes(began), minutes(ended), "down", cause="route")
        facts += province.probes(camera, minutes(ended), minutes(60))
    facts += province.probes(other, minutes(0), minutes(30))
    facts += province.probes(other, minutes(30), minutes(40), "down", cause="refused")
    facts += province.probes(other, minutes(40), minutes(60))
    random.Random(5).shuffle(facts)
    await province.feed(ingest, *facts, *province.watched(minutes(61)))
    for over in (None, 20, 20, None):
        await province.feed(ingest, site(province, dark, 12, over))
    found = await outages(client)
    assert (found["count"], len(found["items"])) == (2, 5)
    (fault,) = found["site_faults"]
    assert fault["camera_ids"] == sorted(str(one.id) for one in dark)
    assert (fault["cause"], fault["began_at"], fault["ended_at"]) == (
        "route",
        "2026-11-20T07:12:00+07:00",
        "2026-11-20T07:20:00+07:00",
    )
    parts = {one["camera_code"]: one["site_fault_began_at"] for one in found["items"]}
    assert parts == {**{one.code: fault["began_at"] for one in dark}, "CAM-05": None}
    by_itself = (await client.get("/v1/site-faults", params=PERIOD)).json()
    assert by_itself["items"] == [fault]
    assert (await client.get("/v1/site-faults", params={**PERIOD, "type": "hotel"})).json()["items"] == []


async def test_a_confirmed_outage_begins_with_the_first_failed_probe(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    facts = province.probes(camera, minutes(0), minutes(10))
    facts += [
        province.probe(camera, minutes(10), "down", cause="timeout", duration_ms=5000),
        province.probe(camera, minutes(10.5), "down", cause="refused"),
    ]
    facts += province.probes(camera, minutes(11), minutes(20))
    facts += [province.probe(camera, minutes(20), "down", cause="timeout")]
    facts += province.probes(camera, minutes(20.5), minutes(60))
    await province.feed(ingest, *facts, *province.watched(minutes(61)))
    found = await outages(client)
    assert [(one["start"], one["seconds"], one["confirmed"]) for one in found["items"]] == [
        ("2026-11-20T07:20:00+07:00", 30.0, False),
        ("2026-11-20T07:09:55+07:00", 65.0, True),
    ]
    assert (found["count"], found["unconfirmed"], found["seconds"]) == (1, 1, 95.0)
    (line,) = (await client.get("/v1/compliance", params=PERIOD)).json()["cameras"]
    assert line["seconds"]["down"] == 95.0


async def test_raw_and_confirmed_states_are_both_shown(client: Client, ingest: Ingest, province: Province) -> None:
    now, camera = datetime.now(UTC), province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    since = now - timedelta(seconds=40)
    facts = [
        *province.probes(camera, now - timedelta(seconds=100), since),
        province.probe(camera, since, "down", cause="timeout"),
    ]
    await province.feed(ingest, *facts, *province.watched(now))

    async def line() -> dict[str, Any]:
        found: dict[str, Any] = (await client.get("/v1/compliance")).json()["cameras"][0]
        return found

    first = await line()
    assert (first["state"], first["confirmed_state"]) == ("down", "up")
    await province.feed(ingest, province.probe(camera, now - timedelta(seconds=10), "down", cause="timeout"))
    second = await line()
    assert (second["state"], second["confirmed_state"]) == ("down", "down")
    assert second["confirmed_since"] == second["since"]
    assert datetime.fromisoformat(second["since"]) < now - timedelta(seconds=39)
