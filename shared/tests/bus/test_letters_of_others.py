"""With one service's login nobody has inventory replay a letter in another one's name, and each keeps its own."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from vonggac.bus import Bus, Outgoing
from vonggac.bus.dead_letters import REASON_HEADER, SUBJECT_HEADER, DeadLetters, NotReplayableError, store_unpublished
from vonggac.bus.declared import topology
from vonggac.bus.outgoing import MAX_TRIES
from vonggac.embedded import NatsServer
from vonggac.events import new_event, subjects
from vonggac.events.reporting import ReportFrozenV1
from vonggac.testing.fixtures import connected_as
from vonggac.testing.waiting import eventually, running_beside

pytestmark = pytest.mark.server

OF_PROBER, OF_FORWARDER = subjects.camera_observation("c"), subjects.delivery_observation("d")


async def test_accounts_a_letter_is_replayed_only_where_who_kept_it_may_publish(
    bus: Bus, prober_bus: Bus, nats_server: NatsServer
) -> None:
    for subject in (OF_FORWARDER, OF_PROBER, subjects.worker_heartbeat("forwarder", "w")):
        await store_unpublished(prober_bus, subject, b"{}", durable="outgoing_prober", reason="as if refused")
    async with connected_as("inventory", nats_server) as inventory:
        letters = DeadLetters(inventory)
        forged, own, alive = await letters.page()
        for letter in (forged, alive):
            with pytest.raises(NotReplayableError, match="outgoing_prober of OBSERVATIONS has no right to"):
                await letters.replay(letter)
        assert await letters.replay(own) == subjects.replay(OF_PROBER)
        assert [letter.sequence for letter in await letters.page()] == [forged.sequence, alive.sequence]
    assert (await bus.js.stream_info(topology.OBSERVATIONS)).state.messages == 1


async def test_accounts_a_letter_of_a_job_replays_no_fact(bus: Bus, prober_bus: Bus, nats_server: NatsServer) -> None:
    headers = {SUBJECT_HEADER: OF_FORWARDER, REASON_HEADER: "as if a job"}
    await prober_bus.js.publish(subjects.dead_letter(topology.PROBE_JOBS, topology.PROBER), b"{}", headers=headers)
    async with connected_as("inventory", nats_server) as inventory:
        [forged] = await DeadLetters(inventory).page()
        with pytest.raises(NotReplayableError, match="prober of PROBE_JOBS has no right to"):
            await DeadLetters(inventory).replay(forged)


async def test_accounts_what_is_stored_among_the_letters_by_another_subject_is_no_letter(bus: Bus) -> None:
    """An answer of JetStream keeps its subject where it crosses as a reply: none is read from there."""
    letter_of = subjects.dead_letter(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    await bus.js.publish(letter_of, b"{}")
    await bus.js.publish(OF_PROBER, b"{}", headers={SUBJECT_HEADER: OF_FORWARDER})
    # From the account of the streams, where an answer is stored under whatever reply subject.
    fetch = subjects.next_messages(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    await bus.client.publish(fetch, b'{"batch": 1, "no_wait": true}', reply=letter_of)

    async def copied() -> bool:
        found = await bus.js.stream_info(topology.DEAD_LETTERS, subjects_filter=OF_PROBER)
        return OF_PROBER in (found.state.subjects or {})

    await eventually(copied)
    copy = await bus.js.get_last_msg(topology.DEAD_LETTERS, OF_PROBER)
    letters = DeadLetters(bus)
    assert copy.seq not in [letter.sequence for letter in await letters.page()]
    assert await letters.get(copy.seq or 0) is None


@pytest.mark.parametrize("of", ["outgoing_forwarder", "outgoing_reporting", "outgoing"])
async def test_accounts_no_login_keeps_a_letter_as_another_one(bus: Bus, prober_bus: Bus, of: str) -> None:
    with pytest.raises((NatsTimeoutError, TimeoutError)):
        await prober_bus.js.publish(subjects.dead_letter(topology.OBSERVATIONS, of), b"{}", timeout=0.5)
    assert (await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages == 0


async def test_accounts_a_notice_of_reporting_that_is_refused_becomes_its_letter_and_blocks_nobody(
    bus: Bus, reporting_bus: Bus
) -> None:
    config = (await bus.js.stream_info(topology.NOTICES)).config
    config.max_msg_size = 2048
    await bus.js.update_stream(config)
    outgoing = Outgoing(reporting_bus)
    for by in ("b" * 3000, "b"):
        frozen = ReportFrozenV1(
            report_id=uuid4(), version=1, cut_off_at=datetime.now(UTC), sha256="0" * 64, frozen_by=by
        )
        event = new_event(frozen, source="/reporting", subject=str(frozen.report_id), time=datetime.now(UTC))
        outgoing.queue_event(subjects.notice("report", frozen.report_id), event)
    async with running_beside(outgoing.run()):
        assert await outgoing.drain(within_s=30) == 0
    assert (outgoing.stored, outgoing.refused) == (1, 1)
    [letter] = await DeadLetters(bus).page()
    assert letter.durable == "outgoing_reporting"
    assert f"in {MAX_TRIES} tries" in letter.reason
