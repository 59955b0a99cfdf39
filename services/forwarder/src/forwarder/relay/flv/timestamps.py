"""RTP timestamps as milliseconds that only a mistake of the camera's makes jump."""

_WRAP = 1 << 32
_HALF = 1 << 31
_BELIEVED_S = 5.0
"""How far a camera's clock may leave ours between two pictures; beyond that ours counts."""


class MediaClock:
    """Of one track. Times are milliseconds since `epoch_s` of the monotonic clock."""

    __slots__ = ("_arrived_s", "_epoch_s", "_rate", "_stamp", "_ticks")

    def __init__(self, clock_rate: int, epoch_s: float) -> None:
        self._rate = max(1, clock_rate)
        self._epoch_s = epoch_s
        self._stamp: int | None = None
        self._ticks = 0
        self._arrived_s = epoch_s

    def at(self, stamp: int, arrived_s: float) -> int:
        """Compute the time of a packet with this RTP timestamp that came at `arrived_s`."""
        if self._stamp is None:
            self._ticks = int((arrived_s - self._epoch_s) * self._rate)
        else:
            step = (stamp - self._stamp + _HALF) % _WRAP - _HALF
            passed = (arrived_s - self._arrived_s) * self._rate
            self._ticks += step if abs(step - passed) <= _BELIEVED_S * self._rate else int(passed)
        self._stamp, self._arrived_s = stamp, arrived_s
        return self._ticks * 1000 // self._rate


class DecodeOrder:
    """Decoding times from presentation times: RTP carries only these (RFC 6184 §5.1), FLV wants both.

    Without pictures shown out of order the two are the same. With them the decoding times lag behind by as much as
    was ever needed.
    """

    __slots__ = ("_delay_ms", "_last_ms")

    def __init__(self) -> None:
        self._delay_ms = 0
        self._last_ms: int | None = None

    def decoded_at(self, shown_ms: int) -> int:
        """Never goes back."""
        if self._last_ms is not None and shown_ms < self._last_ms:
            self._delay_ms = max(self._delay_ms, min(1000, self._last_ms - shown_ms))
        decoded = shown_ms - self._delay_ms
        if self._last_ms is not None:
            decoded = max(decoded, self._last_ms)
        self._last_ms = decoded
        return decoded
