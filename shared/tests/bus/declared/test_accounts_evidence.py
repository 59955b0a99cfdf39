"""What a hostile login stores on its own subjects is no evidence of another service, on the real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from vonggac.bus import Bus
from vonggac.bus.dead_letters import REASON_HEADER
from vonggac.bus.declared import topology
from vonggac.bus.events import EventConsumer, Received
from vonggac.events import subjects
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server
GOLDEN = Path(__file__).parents[2] / "events" / "golden"
PROBED, MEDIA, STATE, READ_BACK, PROBER_ALIVE, FORWARDER_ALIVE = (
    f"vn.vonggac.{name}.v1"
    for name in (
        "prober.camera_observed",
        "forwarder.camera_media_observed",
        "forwarder.delivery_observed",
        "prober.delivery_verified",
        "prober.worker_alive",
        "forwarder.worker_alive",
    )
)


def message(name: str, **data: object) -> bytes:
    """A golden message with other data."""
    document = json.loads((GOLDEN / f"{name}.json").read_bytes())
    return json.dumps({**document, "data": {**document["data"], **data}}).encode()


class Heard:
    """What reporting's consumer handed to its handler, and how many it refused for their subject."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.misplaced = 0

    async def handle(self, batch: Sequence[Received]) -> None:
        self.types += [received.event.type for received in batch]

    def count_misplaced(self) -> None:
        self.misplaced += 1


@pytest_asyncio.fixture
async def heard(buses: dict[str, Bus]) -> AsyncIterator[Heard]:
    found = Heard()
    consumer = EventConsumer(
        buses["reporting"],
        stream=topology.OBSERVATIONS,
        durable=topology.REPORTING_OBSERVATIONS,
        handler=found.handle,
        transient=lambda _error: False,
        wait_s=0.5,
        on_misplaced=found.count_misplaced,
    )
    task = asyncio.create_task(consumer.run())
    yield found
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("login", "subject", "body", "named"),
    [
        ("prober", subjects.camera_observation("evil"), message(STATE, state="verified"), STATE),
        ("prober", subjects.delivery_verification("evil", "evil"), message(MEDIA), MEDIA),
        ("prober", subjects.worker_heartbeat("prober", "evil"), message(FORWARDER_ALIVE), FORWARDER_ALIVE),
        (
            "prober",
            subjects.worker_heartbeat("prober", "forwarder-0123456789ab"),
            message(PROBER_ALIVE, worker_id="forwarder-0123456789ab"),
            PROBER_ALIVE,
        ),
        ("forwarder", subjects.delivery_observation("evil"), message(READ_BACK), READ_BACK),
        ("forwarder", subjects.camera_media_observation("evil"), message(PROBED, verdict="up"), PROBED),
        ("forwarder", subjects.worker_heartbeat("forwarder", "evil"), message(PROBER_ALIVE), PROBER_ALIVE),
        ("inventory", subjects.replay(subjects.camera_observation("evil")), message(STATE), STATE),
    ],
)
async def test_accounts_a_fact_of_another_service_is_a_dead_letter_and_no_evidence(
    buses: dict[str, Bus],
    streams: JetStreamContext,
    heard: Heard,
    login: str,
    subject: str,
    body: bytes,
    named: str,
) -> None:
    await buses[login].js.publish(subject, body)
    letters = subjects.dead_letter(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)

    async def letter() -> Any:
        found = await streams.get_last_msg(topology.DEAD_LETTERS, letters)
        return found if found.data == body else None

    await eventually(lambda: heard.misplaced == 1)
    stored = await eventually(letter)
    reason = (stored.headers or {})[REASON_HEADER]
    assert named in reason
    assert subject.removeprefix("replay.") in reason
    assert named not in heard.types


async def test_accounts_facts_on_their_own_subjects_are_evidence(buses: dict[str, Bus], heard: Heard) -> None:
    own = {
        "prober": (PROBED, subjects.camera_observation(json.loads(message(PROBED))["data"]["camera_id"])),
        "forwarder": (STATE, subjects.delivery_observation(json.loads(message(STATE))["data"]["delivery_id"])),
        "inventory": (
            PROBER_ALIVE,
            subjects.replay(
                subjects.worker_heartbeat("prober", json.loads(message(PROBER_ALIVE))["data"]["worker_id"])
            ),
        ),
    }
    for login, (name, subject) in own.items():
        await buses[login].js.publish(subject, message(name))
    await eventually(lambda: {name for name, _ in own.values()} <= set(heard.types))
    assert heard.misplaced == 0
