"""Putting UDP packets back into the order they were sent in, as far as a short wait allows."""

_MAX_DROPOUT = 3000  # RFC 3550 A.1
_MAX_MISORDER = 128


class ReorderBuffer:
    """Holds packets that came too early, at most `max_packets`; a packet that comes too late is dropped.

    Pure: `push` and `skip` return what may go on now, in order. The caller's timer calls `skip` when a gap has been
    waited for long enough.
    """

    __slots__ = ("_expected", "_held", "_max_packets", "late")

    def __init__(self, max_packets: int) -> None:
        self._max_packets = max_packets
        self._expected: int | None = None
        self._held: dict[int, bytes] = {}
        self.late = 0
        """Packets dropped because they came after their turn, or twice."""

    @property
    def gap(self) -> int | None:
        """The sequence number that is waited for; None when nothing is held."""
        return self._expected if self._held else None

    def push(self, sequence: int, packet: bytes) -> list[bytes]:
        """Take a packet with its 16-bit sequence number."""
        ahead = 0 if self._expected is None else (sequence - self._expected) & 0xFFFF
        if ahead == 0:
            self._expected = (sequence + 1) & 0xFFFF
            return [packet, *self._release()] if self._held else [packet]
        if ahead > 0x10000 - _MAX_MISORDER or sequence in self._held:
            self.late += 1
            return []
        if ahead >= _MAX_DROPOUT:
            # The sender began anew: what is held belongs to the time before.
            before = self.flush()
            self._expected = (sequence + 1) & 0xFFFF
            return [*before, packet]
        self._held[sequence] = packet
        return self.skip() if len(self._held) > self._max_packets else []

    def skip(self) -> list[bytes]:
        """Give the gap up; returns what was waiting behind it, up to the next one."""
        if not self._held or self._expected is None:
            return []
        expected = self._expected
        self._expected = min(self._held, key=lambda sequence: (sequence - expected) & 0xFFFF)
        return self._release()

    def flush(self) -> list[bytes]:
        """Everything that is held; the next packet, whatever its number, is a new beginning."""
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
