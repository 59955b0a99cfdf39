"""A centre is passed on by a ticket: of this fleet, for this worker, used once, and soon."""

import pytest

from forwarder.domain.serving.tickets import LIFE_S, Passed, TicketError, TicketReader, write_ticket
from forwarder.relay.passing.evidence import Evidence, FrameError, Kind, encode_frame, read_frames

KEY, NOW = b"k" * 32, 1_800_000_000.0
PASSED = Passed("forwarder-1", "ioc", "/ioc/gate", "10.0.0.9", "TLSv1.3")


def test_served_ticket_says_who_is_passed_and_is_used_once() -> None:
    reader = TicketReader(KEY, "forwarder-1")
    ticket = write_ticket(KEY, PASSED, NOW, "a")
    assert reader.read_ticket(ticket, NOW + 1) == PASSED
    with pytest.raises(TicketError, match="used before"):
        reader.read_ticket(ticket, NOW + 2)
    assert reader.read_ticket(write_ticket(KEY, PASSED, NOW, "b"), NOW + 2) == PASSED


@pytest.mark.parametrize(
    ("ticket", "why"),
    [
        (write_ticket(b"x" * 32, PASSED, NOW, "a"), "not signed"),
        (write_ticket(KEY, PASSED, NOW - LIFE_S - 1, "a"), "too old"),
        (write_ticket(KEY, PASSED, NOW + 2 * LIFE_S, "a"), "too old"),
        (write_ticket(KEY, Passed("forwarder-2", "ioc", "/ioc/gate", "::1", None), NOW, "a"), "another worker"),
        (write_ticket(KEY, PASSED, NOW, "a").replace(b" ", b" x", 1), "not signed"),
        (b"GET / HTTP/1.1\n", "no ticket"),
        (b"\n", "no ticket"),
    ],
)
def test_served_ticket_that_is_none_is_refused_and_not_repeated(ticket: bytes, why: str) -> None:
    with pytest.raises(TicketError, match=why) as refused:
        TicketReader(KEY, "forwarder-1").read_ticket(ticket, NOW)
    assert not any(part in str(refused.value) for part in ticket.decode().split() if len(part) > 20)


def test_served_frames_are_read_whole_and_lying_ones_refused() -> None:
    evidence = Evidence(5, 6, 0.5, 0.25, doubtful=True)
    data = encode_frame(Kind.FROM_CENTRE, b"OPTIONS") + encode_frame(Kind.EVIDENCE, evidence.encode())
    buffer, found = bytearray(), []
    for byte in data:
        buffer.append(byte)
        found += list(read_frames(buffer))
    assert found == [(Kind.FROM_CENTRE, b"OPTIONS"), (Kind.EVIDENCE, evidence.encode())]
    assert Evidence.decode(found[1][1]) == evidence
    for lying in (b"\x00\xff\xff\xff\xff", b"\x09\x00\x00\x00\x00"):
        with pytest.raises(FrameError):
            list(read_frames(bytearray(lying)))
    with pytest.raises(FrameError):
        Evidence.decode(b"short")
