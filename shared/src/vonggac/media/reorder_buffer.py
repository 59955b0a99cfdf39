"""Restores the sending order of UDP packets, as far as a short wait allows."""

_MAX_DROPOUT = 3000  # RFC 3550 A.1
_MAX_MISORDER = 128


class ReorderBuffer:
    """Holds packets that came too early, at most `max_packets`; a packet that comes too late is dropped.

    Pure: `push` and `skip` return the packets that are next, in order. The caller's timer calls `skip` when a gap has
    lasted long enough.
    """

    __slots__ = ("_expected", "_held", "_max_packets", "late")

    def __init__(self, max_packets: int) -> None:
        self._max_packets = max_packets
        self._expected: int | None = None
        self._held: dict[int, bytes] = {}
        self.late = 0
        """Packets dropped because they came too late, or twice."""

    @property
    def gap(self) -> int | None:
        """The sequence number of the gap; None when nothing waits."""
        return self._expected if self._held else None

    def push(self, sequence: int, packet: bytes) -> list[bytes]:
        """Add a packet with its 16-bit sequence number."""
        ahead = 0 if self._expected is None else (sequence - self._expected) & 0xFFFF
        if ahead == 0:
            self._expected = (sequence + 1) & 0xFFFF
            return [packet, *self._release()] if self._held else [packet]
        if ahead > 0x10000 - _MAX_MISORDER or sequence in self._held:
            self.late += 1
            return []
        if ahead >= _MAX_DROPOUT:
            # The sender began anew: what waits belongs to the time before.
            before = self.flush()
            self._expected = (sequence + 1) & 0xFFFF
            return [*before, packet]
        self._held[sequence] = packet
        return self.skip() if len(self._held) > self._max_packets else []

    def skip(self) -> list[bytes]:
        """Give the gap up; returns the packets after it, up to the next gap."""
        if not self._held or self._expected is None:
            return []
        expected = self._expected
        self._expected = min(self._held, key=lambda sequence: (sequence - expected) & 0xFFFF)
        return self._release()

    def flush(self) -> list[bytes]:
        """Return everything that waits; the next packet begins anew, whatever its number."""
        out: list[bytes] = []
        while self._held:
            out += self.skip()
        self._expected = None
        return out

    def _release(self) -> list[bytes]:
        out: list[bytes] = []
        while self._expected is not None and (packet := self._held.pop(self._expected, None)) is not None:
            out.append(packet)
            self._expected = (self._expected + 1) & 0xFFFF
        return out
