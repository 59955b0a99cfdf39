"""The simulator's own record: when each camera sent media, and when each centre received it.

The simulator dates the last frame of a camera and the last packet of each stream at a centre. Read five times a second,
these are lines of media; where nothing new came for longer than LEAST_GAP_S, a line has a gap. It began with the last
media, to the millisecond, and ended between two readings.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from local.apis.inventory import RefusedError, call

EVERY_S = 0.1
LONGEST_GAP_S = 1.0
"""Between two pictures of a line that flows; the cameras of the bench send ten a second."""
LEAST_GAP_S = 0.5
"""A gap is kept from this length on, and a shorter one where a centre got a new session."""
CENTRES = ("national", "provincial")

type Thing = tuple[str, str]
"""A camera's code and "camera", or the centre that received it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """No media in [start, end); seconds since 1970."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass
class Line:
    """One line of media: the last that was seen, and its gaps."""

    last: float | None = None
    read: float = 0.0
    gaps: list[Gap] = field(default_factory=list)
    sessions: int = 0
    new_session: bool = False
    """One began, and nothing came in it yet."""

    def count_sessions(self, sessions: int) -> None:
        """So many have begun at this centre. The media of the one before has ended, however soon the next one came."""
        self.new_session |= sessions > self.sessions
        self.sessions = sessions

    def note(self, media_at: float | None, read_at: float) -> None:
        """What a reading at `read_at` says."""
        if media_at is not None and (self.last is None or media_at > self.last):
            if self.last is not None and (self.new_session or self._is_gap(media_at)):
                # The first new media came since the reading before.
                self.gaps.append(Gap(self.last, min(media_at, max(self.read, self.last))))
            self.new_session = False
        if media_at is not None:
            self.last = max(media_at, self.last or media_at)
        self.read = read_at

    def end(self, at: float) -> None:
        """Nothing is read after `at`."""
        if self.last is not None and at - self.last > LEAST_GAP_S:
            self.gaps.append(Gap(self.last, at))

    def _is_gap(self, media_at: float) -> bool:
        assert self.last is not None
        return min(media_at, max(self.read, self.last)) - self.last > LEAST_GAP_S


class Record:
    """Reads until cancelled; `lines` by thing."""

    def __init__(self, simulator: str) -> None:
        self.lines: dict[Thing, Line] = {}
        self.sessions: dict[Thing, int] = {}
        """Publishing sessions at each centre so far."""
        self.blind: list[Gap] = []
        """Between two answers that were long apart: the simulator did not run, and nothing is known of its media."""
        self._answered_at: float | None = None
        self._simulator = simulator
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)

    async def run(self) -> None:
        while True:
            began = time.time()
            try:
                await self._read()
            except RefusedError:
                continue
            await asyncio.sleep(max(0.0, EVERY_S - (time.time() - began)))

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self) -> None:
        at = time.time()
        answers = await asyncio.gather(
            call(self._client, "GET", f"{self._simulator}/v1/cameras"),
            *(call(self._client, "GET", f"{self._simulator}/v1/centres/{name}/streams") for name in CENTRES),
        )
        now = time.time()
        if self._answered_at is not None and now - self._answered_at > LONGEST_GAP_S:
            self.blind.append(Gap(self._answered_at, now))
        self._answered_at = now
        for camera in answers[0]["items"]:
            self._line((camera["id"], "camera")).note(_unix(camera["last_frame_at"]), at)
        for name, answer in zip(CENTRES, answers[1:], strict=True):
            for stream in answer["items"]:
                thing = stream["path"].strip("/"), name
                line = self._line(thing)
                line.count_sessions(stream["sessions"])
                line.note(_unix(stream["last_packet_at"]), at)
                self.sessions[thing] = line.sessions

    def _line(self, thing: Thing) -> Line:
        return self.lines.setdefault(thing, Line())


def _unix(moment: Any) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()
