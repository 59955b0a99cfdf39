"""What hints at a read-back, and that no storm of hints exceeds its limits."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from forwarder.relay.destinations import tcp_ack
from forwarder.relay.destinations.hints import (
    BURST,
    CALM_SAMPLES,
    DELIVERY_PAUSE_S,
    NEIGHBOURS,
    PER_S,
    WARM_SAMPLES,
    LineSigns,
    ReadBackHints,
)
from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement
from vonggac.events.forwarder import HintReason, ReadBackHint
from vonggac.testing import eventually

RHYTHM = HintReason.ACKNOWLEDGEMENT_RHYTHM


def sample(
    line: LineSigns, round_trip_s: float = 0.02, window: int | None = 1 << 18, age_s: float = 0.05, waiting: bool = True
) -> HintReason | None:
    return line.sample(round_trip_s=round_trip_s, window_bytes=window, ack_age_s=age_s, waiting=waiting)


def usual() -> LineSigns:
    line = LineSigns()
    assert [sample(line) for _ in range(WARM_SAMPLES)] == [None] * WARM_SAMPLES
    return line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"round_trip_s": 0.2}, HintReason.ROUND_TRIP_RISES),
        ({"window": 4_000}, HintReason.WINDOW_CLOSES),
        ({"window": 0}, HintReason.WINDOW_CLOSES),
        ({"age_s": 1.5}, RHYTHM),
    ],
)
def test_a_line_that_changes_gives_one_sign_until_it_was_as_usual_for_a_while(
    change: dict[str, float], reason: HintReason
) -> None:
    line = usual()
    assert sample(line, **change) is reason  # type: ignore[arg-type]
    assert sample(line, **change) is None  # type: ignore[arg-type]
    assert [sample(line) for _ in range(CALM_SAMPLES)] == [None] * CALM_SAMPLES
    assert sample(line, **change) is reason  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"round_trip_s": 0.09},
        {"window": 100_000},
        {"window": None},
        {"age_s": 0.8},
        {"age_s": 30.0, "waiting": False},
    ],
)
def test_what_may_happen_on_any_line_gives_no_sign(change: dict[str, float]) -> None:
    assert sample(usual(), **change) is None  # type: ignore[arg-type]


def test_a_line_that_is_always_slow_gives_no_sign() -> None:
    line = LineSigns()
    assert not any(sample(line, round_trip_s=0.6, age_s=1.2, window=8_000) for _ in range(100))


async def test_a_peer_that_stops_to_read_closes_its_window_and_gives_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_ack, "SIGNS_EVERY_S", 0.0)
    reading = asyncio.Event()
    reading.set()

    async def read(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            await reading.wait()

    server = await asyncio.start_server(read, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    acknowledgement, signs = TcpAcknowledgement(writer.transport), list[HintReason]()
    written = 0

    def send() -> list[HintReason]:
        nonlocal written
        if writer.transport.get_write_buffer_size() == 0:
            writer.write(bytes(50_000))
            written += 50_000
        buffered = writer.transport.get_write_buffer_size()
        acknowledgement.acknowledged(written, buffered=buffered, others=0)
        if acknowledgement.sign is not None:
            signs.append(acknowledgement.sign)
        return signs

    for _ in range(2 * WARM_SAMPLES):
        assert send() == []
        await asyncio.sleep(0.01)
    reading.clear()
    await eventually(send)
    assert signs == [HintReason.WINDOW_CLOSES]
    writer.transport.abort()
    reading.set()
    server.close()
    await server.wait_closed()


class Asked:
    """Hints of a process, with a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.hints = ReadBackHints(lambda: self.now_s, lambda: datetime(2026, 11, 25, tzinfo=UTC))
        self.published: list[ReadBackHint] = []
        self.hints.publish = self.published.append

    def open(self, destination_id: UUID, number: int = 1) -> list[UUID]:
        deliveries = [uuid4() for _ in range(number)]
        for delivery_id in deliveries:
            self.hints.add_session(uuid4(), destination_id, delivery_id)
        return deliveries


def test_a_hint_names_the_delivery_and_is_not_repeated_within_its_pause() -> None:
    asked, destination_id = Asked(), uuid4()
    (delivery_id,) = asked.open(destination_id)
    asked.hints.ask_for(delivery_id, RHYTHM)
    assert asked.published == []  # The session has just begun, and is read back for that.
    asked.now_s += DELIVERY_PAUSE_S
    for _ in range(3):
        asked.hints.ask_for(delivery_id, RHYTHM)
    (hint,) = asked.published
    assert (hint.delivery_id, hint.destination_id, hint.reason) == (delivery_id, destination_id, RHYTHM)
    asked.now_s += DELIVERY_PAUSE_S
    asked.hints.ask_for(delivery_id, RHYTHM)
    assert len(asked.published) == 2


def test_a_storm_of_hints_stays_within_the_limit_of_its_destination_and_touches_no_other() -> None:
    asked, stormy, calm = Asked(), uuid4(), uuid4()
    many, (other,) = asked.open(stormy, 500), asked.open(calm)
    for _ in range(60):
        asked.now_s += 1.0
        for delivery_id in many:
            asked.hints.ask_for(delivery_id, RHYTHM)
            asked.hints.ask_for_neighbours(stormy, delivery_id, HintReason.NEIGHBOUR_FAILED)
    assert 0 < len(asked.published) <= BURST + 60 * PER_S
    assert {hint.destination_id for hint in asked.published} == {stormy}
    asked.hints.ask_for(other, RHYTHM)
    assert asked.published[-1].delivery_id == other


def test_one_failure_hints_at_a_few_neighbours_at_the_same_destination_each_in_its_turn() -> None:
    asked, destination_id = Asked(), uuid4()
    failing, *others = asked.open(destination_id, 2 * NEIGHBOURS + 1)
    asked.open(uuid4(), 3)
    asked.now_s += DELIVERY_PAUSE_S
    asked.hints.ask_for_neighbours(destination_id, failing, HintReason.NEIGHBOUR_UNPROVEN)
    assert len(asked.published) == NEIGHBOURS
    asked.hints.ask_for_neighbours(destination_id, failing, HintReason.NEIGHBOUR_UNPROVEN)
    assert {hint.delivery_id for hint in asked.published} == set(others)


def test_a_session_that_has_ended_is_hinted_at_no_more() -> None:
    asked, destination_id = Asked(), uuid4()
    gone, failing = asked.open(destination_id, 2)
    asked.now_s += DELIVERY_PAUSE_S
    asked.hints.remove_session(gone)
    asked.hints.remove_session(gone)
    asked.hints.ask_for(gone, RHYTHM)
    asked.hints.ask_for_neighbours(destination_id, failing, HintReason.NEIGHBOUR_FAILED)
    assert asked.published == []
