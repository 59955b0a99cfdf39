"""The count of failed logins by device and login, in the bucket `login_failures`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from vonggac.bus import Bucket, Outgoing, topology
from vonggac.events import subjects
from vonggac.logins.counting import DeviceLogin
from vonggac.telemetry import get_logger

log = get_logger(__name__)

TURN_LASTS = timedelta(seconds=90)
"""Longer than any try."""
WRITE_ATTEMPTS = 5
"""Others may count at the same moment."""


class _Record(BaseModel):
    """What the bucket holds of one login at one device; its key is a keyed hash of both."""

    model_config = ConfigDict(extra="ignore")

    failed: int = Field(ge=0)
    last_at: AwareDatetime
    trying_until: AwareDatetime | None = None
    """Some process tries the login now; it lets go by itself if that process dies."""

    @property
    def login(self) -> DeviceLogin:
        return DeviceLogin(self.failed, self.last_at)


class LoginGuard:
    """Counts failed logins by device and login, over all cameras of a recorder, all processes and all restarts.

    While a login is not proven, one try at a time is made with it at that device: thirty channels with one wrong
    password would lock the recorder's account before the first answer is read. Every write fails when the record
    changed meanwhile, and is made anew, so that no failure is forgotten.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        bucket: Bucket,
        *,
        cooldown_s: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`bucket`: `login_failures`; `outgoing` writes there while NATS is away."""
        self._outgoing, self._bucket, self._cooldown_s, self._clock = outgoing, bucket, cooldown_s, clock
        self._records: dict[str, DeviceLogin] = {}
        self._proven: set[str] = set()
        self._trying: set[str] = set()
        self._refusals: Counter[str] = Counter()
        """Of tries that are not over; stored at their end."""
        self._lines: dict[str, asyncio.Lock] = {}
        self._storing: set[asyncio.Task[None]] = set()

    def on_value(self, key: str, value: bytes | None) -> None:
        """A change in the bucket, by whichever process."""
        record = _read(key, value)
        if record is None or not record.failed:
            self._records.pop(key, None)
            return
        self._records[key] = record.login
        self._proven.discard(key)

    def rest_left_s(self, key: str) -> float | None:
        """Seconds until the login may be tried at the device again; None when it may now."""
        record = self._records.get(key)
        return record.rest_left_s(self._clock(), cooldown_s=self._cooldown_s) if record is not None else None

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[bool]:
        """Whether the login may be tried now; all others hold off with an unproven one while this lasts."""
        if key in self._proven:
            try:
                yield True
            finally:
                await self._count(key, claimed=False)
            return
        if key in self._trying or not await self._take(key):
            yield False
            return
        try:
            yield True
        finally:
            try:
                await self._count(key, claimed=True)
            finally:
                self._trying.discard(key)

    @asynccontextmanager
    async def line(self, key: str) -> AsyncIterator[None]:
        """Wait until nobody else of this process tries an unproven login, without asking NATS.

        For those who log in so often, or in such haste, that a claim of each would cost too much; what comes of the
        try counts for all. Look at `rest_left_s` inside. A login that was not refused ends this without any waiting.
        """
        async with AsyncExitStack() as held:
            if key not in self._proven:
                await held.enter_async_context(self._lines.setdefault(key, asyncio.Lock()))
                if key in self._proven:
                    await held.aclose()
            try:
                yield
            finally:
                if self._refusals[key]:
                    await self._count(key, claimed=False)
                else:
                    self._count_later(key)

    def accepted(self, key: str) -> None:
        """The device took the login. Call it within a turn or line."""
        self._proven.add(key)
        self._refusals.pop(key, None)

    def refused(self, key: str) -> None:
        """The device refused the login. Call it within a turn or line."""
        self._proven.discard(key)
        self._refusals[key] += 1
        self._records[key] = self._records.get(key, DeviceLogin(0, self._clock())).another(self._clock())

    async def _take(self, key: str) -> bool:
        self._trying.add(key)
        taken = False
        try:
            taken = await self._take_for_all(key)
        except (NatsError, TimeoutError, OSError) as error:
            # Nobody can be told of the try, so it is not made.
            log.warning("login_turn_failed", key=key, error=type(error).__name__)
        finally:
            if not taken:
                self._trying.discard(key)
        return taken

    async def _take_for_all(self, key: str) -> bool:
        value, revision = await self._bucket.entry(key)
        now = self._clock()
        record = _read(key, value) or _Record(failed=0, last_at=now)
        self.on_value(key, value)
        if self.rest_left_s(key) is not None or (record.trying_until is not None and record.trying_until > now):
            return False
        claim = record.model_copy(update={"trying_until": now + TURN_LASTS})
        return await self._bucket.replace(key, claim.model_dump_json().encode(), revision)

    def _count_later(self, key: str) -> None:
        """A media session that stands must not wait for NATS."""
        if key in self._proven and key in self._records:
            storing = asyncio.get_running_loop().create_task(self._count(key, claimed=False), name="clear-logins")
            self._storing.add(storing)
            storing.add_done_callback(self._storing.discard)

    async def _count(self, key: str, *, claimed: bool) -> None:
        """What came of the try is stored before the next one; `claimed`: with the claim taken back."""
        refusals, proven = self._refusals.pop(key, 0), key in self._proven
        if not (claimed or refusals or (proven and key in self._records)):
            return
        try:
            for _ in range(WRITE_ATTEMPTS):
                if await self._store(key, refusals, proven=proven, claimed=claimed):
                    return
        except (NatsError, TimeoutError, OSError):
            pass
        self._tell(key, proven=proven)

    async def _store(self, key: str, refusals: int, *, proven: bool, claimed: bool) -> bool:
        """Write the record with `refusals` more, or remove it; False when it changed meanwhile."""
        value, revision = await self._bucket.entry(key)
        before = _read(key, value) or _Record(failed=0, last_at=self._clock())
        claim = None if claimed else before.trying_until
        after = before.model_copy(update={"failed": 0 if proven else before.failed + refusals, "trying_until": claim})
        if refusals:
            after.last_at = self._clock()
        if not after.failed and claim is None:
            if value is not None:
                await self._bucket.delete(key)
            self._records.pop(key, None)
            return True
        stored = await self._bucket.replace(key, after.model_dump_json().encode(), revision)
        if stored:
            self._records[key] = after.login
        return stored

    def _tell(self, key: str, *, proven: bool) -> None:
        """The same later, once NATS is there, by what is known here."""
        subject = subjects.key_value(topology.LOGIN_FAILURES, key)
        login = self._records.get(key)
        if proven or login is None or not login.failed:
            self._records.pop(key, None)
            self._outgoing.removal(subject)
        else:
            record = _Record(failed=login.failed, last_at=login.last_at)
            self._outgoing.value(subject, record.model_dump_json().encode())


def _read(key: str, value: bytes | None) -> _Record | None:
    if value is None:
        return None
    try:
        return _Record.model_validate_json(value)
    except ValidationError:
        log.warning("login_record_malformed", key=key)
        return None
