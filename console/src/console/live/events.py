"""`/live`: one stream for a page, that says how old its figures are and when they have changed.

The console listens to reporting for the person, with the person's token, and hands on only that something changed: the
page loads itself again and takes over what differs. So a page is never put together of two accounts.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import httpx

from console.apis.reporting import Reporting
from console.live.ages import Ages, ages_of
from console.metrics import Metrics
from vonggac.telemetry import get_logger

log = get_logger(__name__)

BEAT_S = 2.0
"""A page hears from the console this often."""
FRESHNESS_S = 3.0
"""How old the ages that reporting answers may be; the pages of one session share them."""
KNOWN_EVERY_S = 60.0
"""So long a stream may outlive the session that it was opened by."""
AGAIN_S = 2.0
"""Between two tries to listen to reporting."""


class LiveFreshness:
    """The ages that reporting answers to one token: the newest fact is the newest that its reader may see."""

    def __init__(self, reporting: Reporting, now: Callable[[], float] = time.monotonic) -> None:
        self._reporting, self._now = reporting, now
        self._ages = Ages(None, None, None, None)
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def read(self, token: str) -> Ages:
        """As of now: what was read lately has grown older meanwhile."""
        async with self._reading:
            if self._read_at is None or self._now() - self._read_at >= FRESHNESS_S:
                ages = ages_of(await self._reporting.read_freshness(token))
                if ages.workers is not None or self._read_at is None:
                    self._ages, self._read_at = ages, self._now()
        passed = self._now() - self._read_at
        return Ages(*(None if age is None else age + passed for age in self._ages))


@dataclass(slots=True, eq=False)
class _Heard:
    """What one page's listener has heard of reporting."""

    at: float
    """When its account last moved on, monotonic."""
    age_s: float | None = None
    """How old the account was then; None before the first event."""
    as_of: str = ""
    """The moment of the account, as the last event said."""
    version: str | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Listeners:
    """The open streams of this process, bounded, and ended when it stops."""

    def __init__(self, reporting: Reporting, metrics: Metrics, *, most: int, unix_s: Callable[[], float]) -> None:
        self._reporting, self._metrics, self._most, self._unix_s = reporting, metrics, most, unix_s
        self._freshness: WeakValueDictionary[str, LiveFreshness] = WeakValueDictionary()
        """By token, for as long as a page of it is open."""
        self._heard: set[_Heard] = set()
        self._ending = False
        self.known_every_s = KNOWN_EVERY_S

    def end(self) -> None:
        """End all streams, for good: the process stops."""
        self._ending = True
        for each in self._heard:
            each.changed.set()

    @property
    def is_full(self) -> bool:
        return len(self._heard) >= self._most

    async def stream(
        self,
        token: str,
        expires_at_s: float,
        filters: Mapping[str, str],
        version: str | None,
        is_known: Callable[[], Awaitable[bool]],
    ) -> AsyncGenerator[bytes]:
        """Events of one page until it leaves, the token or its session (`is_known`) ends, or the process stops."""
        heard = _Heard(at=time.monotonic(), version=version)
        freshness = self._freshness.setdefault(token, LiveFreshness(self._reporting))
        listening = asyncio.create_task(self._listen(token, filters, heard), name="live")
        self._heard.add(heard)
        self._metrics.listeners.set(len(self._heard))
        try:
            yield b"retry: 2000\n\n"
            known_at = time.monotonic()
            while not self._ending and self._unix_s() < expires_at_s:
                if time.monotonic() - known_at >= self.known_every_s:
                    if not await is_known():
                        return
                    known_at = time.monotonic()
                ages = await freshness.read(token)
                if heard.age_s is not None:
                    ages = ages._replace(reporting=time.monotonic() - heard.at + heard.age_s)
                yield event("ages", ages.to_data())
                with suppress(TimeoutError):
                    await asyncio.wait_for(heard.changed.wait(), BEAT_S)
                    heard.changed.clear()
                    yield event("changed", {"version": heard.version})
        finally:
            self._heard.discard(heard)
            self._metrics.listeners.set(len(self._heard))
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self, token: str, filters: Mapping[str, str], heard: _Heard) -> None:
        while True:
            try:
                async with self._reporting.listen(token, filters, heard.version) as answer:
                    if answer.status_code == 200:
                        await self._follow(answer, heard)
                    else:
                        log.info("live_refused", status=answer.status_code)
            except httpx.HTTPError as error:
                log.info("live_cut", error=type(error).__name__)
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, answer: httpx.Response, heard: _Heard) -> None:
        kind, data = "", ""
        async for line in answer.aiter_lines():
            if line.startswith("event:"):
                kind = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                data = line.removeprefix("data:").strip()
            elif not line and kind:
                self._note(kind, data, heard)
                kind, data = "", ""

    def _note(self, kind: str, data: str, heard: _Heard) -> None:
        if kind not in {"changes", "reset", "alive"}:
            return
        try:
            said = json.loads(data)
            version, as_of = str(said["version"]), str(said["as_of"])
        except (ValueError, KeyError, TypeError):
            return
        # By the progress of its account, not by its clock: ours may be another.
        if as_of != heard.as_of:
            heard.as_of, heard.at, heard.age_s = as_of, time.monotonic(), 0.0
        if kind != "alive":
            heard.version = version
            heard.changed.set()


def event(name: str, data: object) -> bytes:
    """One event of the stream (HTML Living Standard, server-sent events)."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
