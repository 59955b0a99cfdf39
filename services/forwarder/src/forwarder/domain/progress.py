"""The progress of one session at a destination: what was written, what was acknowledged, and since when."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forwarder.domain.clock import Instant
from forwarder.domain.proof import Proof

READ_EVERY_S = 1.0
"""Of a session; at its beginning, and while nothing is acknowledged, more often."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The destination answered OK to RECORD. A stream's first session begins with pictures that were `kept_s`."""

    kept_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ProgressRead:
    """Media bytes of the present session so far: handed to the transport, acknowledged by the destination's kernel.

    `silent_s`: how long the camera has sent no media (RTCP is none); up to `usual_silence_s` that says nothing of this.
    `unread_for_s`: how long the destination's process has read nothing of what its kernel acknowledged, where known;
    `doubtful`: nobody can know yet. `ack_age_s`: how long its kernel has acknowledged nothing.
    """

    written: int
    acknowledged: int
    silent_s: float = 0.0
    unread_for_s: float = 0.0
    usual_silence_s: float = 0.0
    doubtful: bool = False
    ack_age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """In media bytes and monotonic seconds.

    `read_at`: when it was read last before there was media. `media_at`: the same, once there is media: all media of the
    session was written after that.
    """

    opened_s: float
    read_at: datetime
    read_s: float = 0.0
    """When it was read last of all."""
    media_at: datetime | None = None
    written: int = 0
    written_s: float = 0.0
    """When the newest byte was seen to be written."""
    acknowledged: int = 0
    acknowledged_s: float = 0.0
    acknowledged_since_s: float | None = None
    worked_s: float | None = None
    """How long its media had been acknowledged, in all, when it stalled last."""
    proof: Proof | None = None
    kept_s: float = 0.0
    """How old the group of pictures was with which the session began; 0 where no other session had sent it, or once the
    session stood without media."""

    @property
    def pending(self) -> bool:
        """Whether bytes wait for acknowledgement."""
        return self.written > self.acknowledged

    def advanced(self, written: int, acknowledged: int, unread_for_s: float, now: Instant) -> "Progress":
        """Advance to the bytes of the session so far, as just read.

        `unread_for_s`: what was acknowledged in that time lay unread in a kernel, and counts no more.
        """
        moment = now.monotonic_s
        wrote, confirmed = written > self.written, acknowledged > self.acknowledged
        written = max(written, self.written)
        return replace(
            self,
            read_at=self.read_at if written else now.at,
            media_at=self.read_at if written else None,
            kept_s=self.kept_s if written else 0.0,
            read_s=moment,
            written=written,
            written_s=moment if wrote else self.written_s,
            acknowledged=max(acknowledged, self.acknowledged),
            # The time without acknowledgement begins with the first byte that waits for one.
            acknowledged_s=self._acknowledged_s(
                moment, confirmed=confirmed, begins=wrote and not self.pending, unread_for_s=unread_for_s
            ),
            acknowledged_since_s=(self.acknowledged_since_s or moment) if confirmed else self.acknowledged_since_s,
        )

    def _acknowledged_s(self, moment: float, *, confirmed: bool, begins: bool, unread_for_s: float) -> float:
        if confirmed:
            # They came at some moment since the reading before: dated to the middle.
            return moment - min(READ_EVERY_S, moment - self.read_s) / 2
        since_s = moment if begins else self.acknowledged_s
        return min(since_s, moment - unread_for_s) if unread_for_s else since_s

    def left_out_s(self, *, silent_s: float, now: Instant) -> float:
        """By how much the camera's newest media, `silent_s` old, is younger than the newest byte written of it.

        0 before there was any. A camera that sends seldom is no matter: what it sent last was written.
        """
        return now.monotonic_s - silent_s - self.written_s if self.written else 0.0

    def unacknowledged(self) -> "Progress":
        """Acknowledgements have ceased."""
        if self.acknowledged_since_s is None:
            return self
        worked_s = (self.worked_s or 0.0) + self.acknowledged_s - self.acknowledged_since_s
        return replace(self, acknowledged_since_s=None, worked_s=worked_s)

    def worked_for_s(self, now: Instant) -> float | None:
        """How long the session's media has been acknowledged, in all; None when it never was."""
        if self.acknowledged_since_s is None:
            return self.worked_s
        return (self.worked_s or 0.0) + now.monotonic_s - self.acknowledged_since_s

    def covers(self, moment: datetime) -> bool:
        """Check that a moment is not before the session's first media: earlier ones prove nothing for or against it."""
        return self.media_at is not None and moment >= self.media_at

    def holds_picture(self, captured_at: datetime) -> bool:
        """Whether a picture that came from the camera then was sent in this session, be it with its first group."""
        return self.media_at is not None and captured_at >= self.media_at - timedelta(seconds=self.kept_s)
