"""A forwarder of whose facts some are lost for good is asked to publish its states anew; they hold from then on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reporting.ingest import cleanup, gaps
from vonggac.events import subjects
from vonggac.events.forwarder import FactsLost
from vonggac.testing import eventually
from vonggac.testing.waiting import flush_all

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

pytestmark = pytest.mark.server
ALIVE, DEAD = "forwarder-000000000001", "forwarder-000000000002"


def numbered(worker: str, *events: CloudEvent[Payload], first: int = 1) -> list[CloudEvent[Payload]]:
    """As this publisher numbers them."""
    return [
        event.model_copy(update={"publisher": worker, "publishersequence": number})
        for number, event in enumerate(events, first)
    ]


async def test_a_forwarder_is_asked_until_it_has_published_its_states_anew_after_a_loss(
    start: Start,
    settings: Settings,
    database: Database,
    bus: Bus,
    forwarder_bus: Bus,
    province: Province,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gaps, "GIVEN_UP_AFTER", timedelta(seconds=0.2))
    now = datetime.now(UTC)
    began, lost_from, lost_until = (now - timedelta(minutes=minutes) for minutes in (50, 40, 30))
    camera = province.camera()
    asked: list[tuple[str, FactsLost]] = []

    async def ask(message: Msg) -> None:
        asked.append((message.subject, FactsLost.model_validate_json(message.data)))

    await forwarder_bus.client.subscribe(subjects.worker_facts_lost("*"), cb=ask)
    await flush_all(forwarder_bus.client)
    states = [province.change(planned, camera, 1, began, "acknowledged") for planned in camera.deliveries]
    for worker, last in ((ALIVE, now), (DEAD, now - timedelta(minutes=5))):
        # A heartbeat between the two that come is lost.
        said = states if worker == ALIVE else []
        said = numbered(worker, *said, province.alive(lost_from, worker, began))
        said += numbered(worker, *(province.alive(at, worker, began) for at in (lost_until, last)), first=len(said) + 2)
        await province.publish(bus, *said)
    await province.publish(
        bus, *province.base(), province.stated("camera", camera), *province.probes(camera, began, now)
    )
    monkeypatch.setattr(cleanup, "HOUSEKEEPING_EVERY_S", 0.2)
    async with start(settings) as client:
        await eventually(lambda: len(asked) >= 2)
        assert {subject for subject, _ in asked} == {subjects.worker_facts_lost(ALIVE)}
        assert {loss.lost_until for _, loss in asked} == {lost_until}
        assert await states_of(client, began) == [("unknown", 600.0)] * 2
        # It begins anew, as after an overflow of its own.
        anew = datetime.now(UTC)
        states = [province.change(planned, camera, 2, anew, "acknowledged") for planned in camera.deliveries]
        await province.publish(bus, *numbered(ALIVE, province.alive(anew, awake_since=anew), *states, first=7))

        async def known() -> bool:
            seen = await states_of(client, began)
            assert [state for state, _ in seen] == ["acknowledged"] * 2
            # What was before stays unknown.
            return all(600.0 <= connected < 660.0 for _, connected in seen)

        await eventually(known)
        async with database.transaction() as session:
            assert await gaps.unanswered(session, anew - timedelta(seconds=15)) == {}


async def states_of(client: Client, since: datetime) -> list[tuple[str, float]]:
    """Of each delivery: what it is now, and for how long it was connected."""
    period = {"from": since.isoformat()}
    [line] = (await client.get("/v1/compliance", params=period)).json()["cameras"]
    deliveries: list[dict[str, Any]] = line["deliveries"]
    return [(one["state"], one["seconds"]["connected"]) for one in deliveries]
