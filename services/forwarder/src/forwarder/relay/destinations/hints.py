"""When a session at a destination gives reason to have it read back before its time, and how often at most.

A centre that lies or dies slowly shows something first: its kernel acknowledges later, offers less room, or the way
there takes longer; or another camera's session there breaks. None of that proves anything: it asks for a read-back.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from uuid import UUID

from vonggac.events.forwarder import HintReason, ReadBackHint

WEIGHT = 1 / 32
"""Of a sample in what is usual: half a minute of a session decides it."""
WARM_SAMPLES = 10
"""Nothing is unusual before so many."""
CALM_SAMPLES = 5
"""After a sign, so many usual samples before the next sign."""
RISES = 4.0
"""A round trip, or a wait for an acknowledgement, so many times the usual one."""
ROUND_TRIP_S = 0.1
"""And by so much longer."""
SILENT_S = 1.0
"""The same of a wait for an acknowledgement: shorter ones say nothing about a camera of a few pictures a second."""
CLOSES = 4.0
"""A window of this part of the usual one."""
OPEN_WINDOW_BYTES = 16 << 10
"""A window that is larger has not closed, whatever was usual."""
DELIVERY_PAUSE_S = 10.0
"""Between two hints at one delivery."""
BURST, PER_S = 8, 1.0
"""Hints at the deliveries of one destination: at once, and a second from then on."""
NEIGHBOURS = 4
"""Sessions at the same destination that one failure hints at."""


class LineSigns:
    """One session's line. Each kind of change gives one sign, until the line has been as usual for a while."""

    __slots__ = ("_age_s", "_calm", "_round_trip_s", "_samples", "_window")

    def __init__(self) -> None:
        self._samples = 0
        self._calm = CALM_SAMPLES
        self._round_trip_s = self._age_s = self._window = 0.0

    def sample(
        self, *, round_trip_s: float, window_bytes: int | None, ack_age_s: float, waiting: bool
    ) -> HintReason | None:
        """Call about once a second. `waiting`: something is on its way; else the last acknowledgement may be old."""
        age_s = ack_age_s if waiting else 0.0
        window = window_bytes if window_bytes is not None else self._window
        reason = self._find_sign(round_trip_s, window, age_s) if self._samples >= WARM_SAMPLES else None
        weight = WEIGHT if self._samples >= WARM_SAMPLES else 1 / (self._samples + 1)
        self._round_trip_s += weight * (round_trip_s - self._round_trip_s)
        self._age_s += weight * (age_s - self._age_s)
        self._window += weight * (window - self._window)
        self._samples += 1
        calm, self._calm = self._calm, 0 if reason is not None else self._calm + 1
        return reason if calm >= CALM_SAMPLES else None

    def _find_sign(self, round_trip_s: float, window: float, age_s: float) -> HintReason | None:
        if window < OPEN_WINDOW_BYTES and window * CLOSES <= self._window:
            return HintReason.WINDOW_CLOSES
        if age_s >= max(SILENT_S, RISES * self._age_s):
            return HintReason.ACKNOWLEDGEMENT_RHYTHM
        if round_trip_s >= RISES * self._round_trip_s and round_trip_s >= self._round_trip_s + ROUND_TRIP_S:
            return HintReason.ROUND_TRIP_RISES
        return None


@dataclass(slots=True)
class _Session:
    """An open session. `hinted_s`: when it began or was hinted at last, in monotonic seconds."""

    camera_id: UUID
    destination_id: UUID
    hinted_s: float


class ReadBackHints:
    """The open sessions of a process that are read back: which are hinted at, within limits that no storm exceeds."""

    def __init__(self, now_s: Callable[[], float], now: Callable[[], datetime]) -> None:
        """`now_s` is monotonic, `now` dates what is published."""
        self._now_s, self._now = now_s, now
        self._sessions: dict[UUID, _Session] = {}
        """By delivery."""
        self._neighbours: dict[UUID, set[UUID]] = {}
        """Their deliveries by destination."""
        self._tokens: dict[UUID, tuple[float, float]] = {}
        """By destination: hints that it may get, and when that was counted."""
        self.asked = Counter(dict.fromkeys(HintReason, 0))
        self.publish: Callable[[ReadBackHint], None] = lambda _hint: None
        """Set once there is a bus."""

    def add_session(self, camera_id: UUID, destination_id: UUID, delivery_id: UUID) -> None:
        """Add a session that is open; it is read back with its first acknowledgement."""
        self._sessions[delivery_id] = _Session(camera_id, destination_id, self._now_s())
        self._neighbours.setdefault(destination_id, set()).add(delivery_id)

    def remove_session(self, delivery_id: UUID) -> None:
        """Harmless when it was not added."""
        session = self._sessions.pop(delivery_id, None)
        if session is None:
            return
        neighbours = self._neighbours[session.destination_id]
        neighbours.discard(delivery_id)
        if not neighbours:
            del self._neighbours[session.destination_id]
            self._tokens.pop(session.destination_id, None)

    def ask_for(self, delivery_id: UUID, reason: HintReason) -> None:
        """Have the delivery of an open session read back, unless that was asked a moment ago."""
        session, now_s = self._sessions.get(delivery_id), self._now_s()
        if session is None or now_s - session.hinted_s < DELIVERY_PAUSE_S:
            return
        tokens = self._count_tokens(session.destination_id, now_s)
        if tokens < 1:
            return
        self._tokens[session.destination_id] = tokens - 1, now_s
        session.hinted_s = now_s
        self.asked[reason] += 1
        self.publish(
            ReadBackHint(
                camera_id=session.camera_id,
                delivery_id=delivery_id,
                destination_id=session.destination_id,
                reason=reason,
                at=self._now(),
            )
        )

    def ask_for_neighbours(self, destination_id: UUID, delivery_id: UUID, reason: HintReason) -> None:
        """Have a few others at the same destination read back: those that were hinted at longest ago."""
        if self._count_tokens(destination_id, self._now_s()) < 1:
            # A centre that breaks with all its sessions must not cost a search for each.
            return
        others = self._neighbours.get(destination_id, set()) - {delivery_id}
        for other in nsmallest(NEIGHBOURS, others, key=lambda one: self._sessions[one].hinted_s):
            self.ask_for(other, reason)

    def _count_tokens(self, destination_id: UUID, now_s: float) -> float:
        tokens, counted_s = self._tokens.get(destination_id, (float(BURST), now_s))
        return min(float(BURST), tokens + PER_S * (now_s - counted_s))
