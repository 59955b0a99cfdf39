"""What was seen of one session at a destination: what was written, what was confirmed of it, and since when."""

from dataclasses import dataclass, replace
from datetime import datetime

from forwarder.domain.clock import Instant
from forwarder.domain.proof import Proof


@dataclass(frozen=True, slots=True)
class Progress:
    """In media bytes and monotonic seconds.

    `looked_at`: when it was last looked at before there was media; `media_at`: the same, once there is: all media of
    the session was written after that.
    """

    opened_s: float
    looked_at: datetime
    media_at: datetime | None = None
    written: int = 0
    written_s: float = 0.0
    """When the newest byte was seen to be written."""
    acknowledged: int = 0
    acknowledged_s: float = 0.0
    confirmed_since_s: float | None = None
    worked_s: float | None = None
    """How long it had been confirmed, all told, when it stalled last."""
    proof: Proof | None = None

    @property
    def pending(self) -> bool:
        """Whether bytes wait for confirmation."""
        return self.written > self.acknowledged

    def looked(self, *, written: int, acknowledged: int, now: Instant) -> "Progress":
        """The session was looked at: bytes of it so far."""
        moment = now.monotonic_s
        wrote, confirmed = written > self.written, acknowledged > self.acknowledged
        written = max(written, self.written)
        return replace(
            self,
            looked_at=self.looked_at if written else now.at,
            media_at=self.looked_at if written else None,
            written=written,
            written_s=moment if wrote else self.written_s,
            acknowledged=max(acknowledged, self.acknowledged),
            # The time without confirmation begins with the first byte that waits for one.
            acknowledged_s=moment if confirmed or (wrote and not self.pending) else self.acknowledged_s,
            confirmed_since_s=(self.confirmed_since_s or moment) if confirmed else self.confirmed_since_s,
        )

    def left_out_s(self, *, silent_s: float, now: Instant) -> float:
        """By how much the camera's newest media, `silent_s` old, is younger than the newest byte written of it.

        0 before there was any. A camera that sends seldom is no matter: what it sent last was written.
        """
        return now.monotonic_s - silent_s - self.written_s if self.written else 0.0

    def unconfirmed(self) -> "Progress":
        """Confirmations have ceased."""
        if self.confirmed_since_s is None:
            return self
        worked_s = (self.worked_s or 0.0) + self.acknowledged_s - self.confirmed_since_s
        return replace(self, confirmed_since_s=None, worked_s=worked_s)

    def worked_for_s(self, now: Instant) -> float | None:
        """How long the session has been confirmed, all told; None when it never was."""
        if self.confirmed_since_s is None:
            return self.worked_s
        return (self.worked_s or 0.0) + now.monotonic_s - self.confirmed_since_s

    def covers(self, moment: datetime) -> bool:
        """What was before the session's first media was not sent in it and proves nothing for or against it."""
        return self.media_at is not None and moment >= self.media_at
