"""The count of failed logins by device and login, in the bucket `login_failures`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from vonggac.bus import Bucket, Outgoing
from vonggac.bus.declared import topology
from vonggac.logins.counting import CamerasOfLogins, DeviceLogin, LoginRests
from vonggac.logins.lock import PATIENCE_S, LoginLocks
from vonggac.telemetry import get_logger

log = get_logger(__name__)

CLAIM_LASTS = timedelta(seconds=15)
"""It is renewed while the try goes on: the claim of a process that died holds up nobody for longer."""
RENEW_EVERY_S = 5.0
SHORT_CLAIM_LASTS = timedelta(seconds=5)
"""Of a claim by one who waited for it; who waits goes by its own patience."""
CLAIM_AGAIN_S = 0.1
WRITE_ATTEMPTS = 5
"""Others may count at the same moment."""
NOTE_LASTS = timedelta(seconds=topology.LOGIN_FAILURES_KEPT_S / 2)
"""That a login was taken is written anew after so long: the bucket forgets what is older than twice that."""
NOTE_CHECK_S = 3600.0


class _Record(BaseModel):
    """What the bucket holds of one login at one device; its key is a keyed hash of both."""

    model_config = ConfigDict(extra="ignore")

    failed: int = Field(ge=0)
    last_at: AwareDatetime
    taken: bool = False
    """By the device, before the first of these failures; without any, at `last_at`."""
    trying_until: AwareDatetime | None = None
    """Some process tries the login now, and renews its claim; if that process dies, the claim ends by itself."""

    @property
    def login(self) -> DeviceLogin:
        return DeviceLogin(self.failed, self.last_at, self.taken)


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
        rests: LoginRests,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        proven_at_once: bool = False,
    ) -> None:
        """`bucket`: `login_failures`; `outgoing` writes there while NATS is away. `proven_at_once`: any number of tries
        at a time with a proven login, for peers that lock nothing.
        """
        self.rests = rests
        self._outgoing, self._bucket, self._clock = outgoing, bucket, clock
        self._proven_at_once = proven_at_once
        self._records: dict[str, DeviceLogin] = {}
        self._proven: set[str] = set()
        self._taken: set[str] = set()
        """Of those that a device asked for and took, at some time of this process: a refusal does not undo that."""
        self._noted: dict[str, datetime] = {}
        """Of those that the bucket says to have been taken, by whichever process: when that was written."""
        self._doubted: set[str] = set()
        """Of the proven ones: a session ended since."""
        self._claimed: set[str] = set()
        self._refusals: Counter[str] = Counter()
        """Of tries that are not over; stored at their end."""
        self._repeated: set[str] = set()
        """Refused once more by a camera that refuses alone: stored with its time, and not counted."""
        self._cameras = CamerasOfLogins()
        self._locks = LoginLocks()
        self._storing: set[asyncio.Task[None]] = set()

    def on_value(self, key: str, value: bytes | None) -> None:
        """Take in a change in the bucket, by whichever process."""
        record = _read(key, value)
        if record is None:
            self._records.pop(key, None)
            self._noted.pop(key, None)
            return
        self._remember(key, record)
        if record.failed:
            self._proven.discard(key)

    async def keep_notes(self) -> None:
        """Until cancelled: for logins that stay in use for days without another login, as a session that plays does."""
        while True:
            await asyncio.sleep(NOTE_CHECK_S)
            for key in list(self._proven - self._doubted - self._claimed):
                if self._note_is_due(key) and not self._refusals[key]:
                    await self._count(key)

    def rest_left_s(self, key: str, camera: str | None = None) -> float | None:
        """Seconds until the login may be tried at the device (for this camera of it) again; None when it may now."""
        record = self._records.get(key)
        if record is None:
            return None
        alone = self.refuses_alone(key, camera)
        return record.rest_left_s(self._clock(), cooldown_s=self.rests.cooldown_s, refuses_alone=alone)

    def refuses_alone(self, key: str, camera: str | None) -> bool:
        """Whether this camera refused the login, and others of its device take it."""
        return self._cameras.refuses_alone(key, camera)

    def has_failed(self, key: str) -> bool:
        """Whether the login failed at the device, and was not taken there since."""
        return key in self._records

    def was_taken(self, key: str) -> bool:
        """Whether the device is known to have asked for the login and taken it, from this process or another one."""
        record = self._records.get(key)
        return key in self._taken or key in self._noted or (record is not None and record.taken)

    def rest_after_refusal_s(self, key: str) -> float:
        """Seconds until the camera that refused the login is tried again; 0.0: as usual."""
        record = self._records.get(key)
        return self.rests.after(record.failed if record is not None else 0, taken=self.was_taken(key))

    @asynccontextmanager
    async def try_lock(self, key: str) -> AsyncIterator[bool]:
        """Whether the login may be tried now; while it is not known to work, all others hold off meanwhile.

        A proven one waits for others of this process until they are let in: the password may be another one since.
        """
        async with AsyncExitStack() as held:
            if not await self._lock_if_free(key, held):
                yield False
                return
            renewing = asyncio.create_task(self._renew(key), name="renew-claim") if key in self._claimed else None
            try:
                yield True
            finally:
                if renewing is not None:
                    renewing.cancel()
                await self._count(key)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Wait while others try the login, here or in other processes, unless it is proven and not in doubt.

        For those who must log in: nobody waits longer than PATIENCE_S for one who has no answer yet, nor at all while
        NATS is away. Read `rest_left_s` inside. A login that was taken is stored for others without any waiting.
        """
        async with AsyncExitStack() as held:
            if not self._certain(key):
                await held.enter_async_context(self._locks.locked(key))
                if self._certain(key) or self.rest_left_s(key) is not None:
                    self._locks.release(key)
                else:
                    await self._claim_patiently(key)
            try:
                yield
            finally:
                if self._refusals[key] or key in self._repeated:
                    await self._count(key)
                else:
                    self._count_later(key)

    def accepted(self, key: str, *, camera: str | None = None, needed: bool = False, again: bool = False) -> None:
        """Record that the device took the login. Call it within a lock, as soon as it is known: others wait for it.

        `needed`: it asked for it. A device that lets everybody in proves no password. `again`: of a session whose login
        is known to be taken, at its end: that clears no refusal, and lets nobody in beside who tries since.
        """
        if needed:
            self._taken.add(key)
        if needed and camera is not None and not (again and self.has_failed(key)):
            self._cameras.took(key, camera)
        if not again:
            self._proven.add(key)
            self._doubted.discard(key)
            self._refusals.pop(key, None)
            self._repeated.discard(key)
            self._locks.release(key)
        if not (again and key in self._claimed):
            # Else the claim is that of somebody who tries now.
            self._count_later(key)

    def refused(self, key: str, *, camera: str | None = None, needed: bool = False) -> None:
        """Count a refusal of the login. Call it within a lock. `needed`: the device took it before in this session."""
        repeated = key in self._records and self.refuses_alone(key, camera)
        self._proven.discard(key)
        if repeated:
            self._repeated.add(key)
        else:
            self._refusals[key] += 1
        if needed:
            self._taken.add(key)
        if camera is not None:
            self._cameras.refused(key, camera)
        before = self._records.get(key, DeviceLogin(0, self._clock()))
        self._records[key] = before.another(self._clock(), taken=self.was_taken(key), counts=not repeated)

    def doubt(self, key: str) -> None:
        """Doubt a login whose session the device ended: perhaps for another password. One finds out first."""
        if key in self._proven:
            self._doubted.add(key)

    async def _lock_if_free(self, key: str, held: AsyncExitStack) -> bool:
        if key not in self._proven:
            return key not in self._claimed and await self._claim(key)
        if self._proven_at_once:
            return True
        try:
            async with asyncio.timeout(PATIENCE_S):
                await held.enter_async_context(self._locks.locked(key))
        except TimeoutError:
            return False
        return key in self._proven

    def _certain(self, key: str) -> bool:
        return key in self._proven and key not in self._doubted

    async def _claim(self, key: str) -> bool:
        self._claimed.add(key)
        taken = False
        try:
            taken = await self._claim_in_bucket(key, CLAIM_LASTS)
        except (NatsError, TimeoutError, OSError) as error:
            # No other process hears of the try, so it is not made.
            log.warning("login_claim_failed", key=key, error=type(error).__name__)
        finally:
            if not taken:
                self._claimed.discard(key)
        return taken

    async def _renew(self, key: str) -> None:
        """While the claim is ours. One that has run out, as of a process that slept, is not taken up again."""
        while key in self._claimed:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                value, revision = await self._bucket.entry(key)
                record, now = _read(key, value), self._clock()
                if record is None or record.trying_until is None or record.trying_until <= now:
                    return
                longer = record.model_copy(update={"trying_until": now + CLAIM_LASTS})
                if key in self._claimed:
                    await self._bucket.replace(key, longer.model_dump_json().encode(), revision)
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("login_claim_not_renewed", key=key, error=type(error).__name__)

    async def _claim_patiently(self, key: str) -> None:
        """Claim the login for a moment. When that cannot be had in time, the try is made all the same."""
        if key in self._claimed or not self._bucket.reachable:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await self._claim_in_bucket(key, SHORT_CLAIM_LASTS):
                    if self.rest_left_s(key) is not None:
                        return
                    await asyncio.sleep(CLAIM_AGAIN_S)
                self._claimed.add(key)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("login_wait_ended", key=key, error=type(error).__name__)

    async def _claim_in_bucket(self, key: str, lasts: timedelta) -> bool:
        value, revision = await self._bucket.entry(key)
        now = self._clock()
        record = _read(key, value) or _Record(failed=0, last_at=now)
        self.on_value(key, value)
        if self.rest_left_s(key) is not None or (record.trying_until is not None and record.trying_until > now):
            return False
        claim = record.model_copy(update={"trying_until": now + lasts})
        return await self._bucket.replace(key, claim.model_dump_json().encode(), revision)

    def _count_later(self, key: str) -> None:
        """Count later: a media session that stands must not wait for NATS."""
        if key in self._claimed or (key in self._proven and (key in self._records or self._note_is_due(key))):
            storing = asyncio.get_running_loop().create_task(self._count(key), name="clear-logins")
            self._storing.add(storing)
            storing.add_done_callback(self._storing.discard)

    async def _count(self, key: str) -> None:
        """Store the result of the try before the next one, and take the claim back, or let it end by itself."""
        refusals, repeated = self._refusals.pop(key, 0), key in self._repeated
        proven, claimed = key in self._proven, key in self._claimed
        self._claimed.discard(key)
        self._repeated.discard(key)
        if not (claimed or refusals or repeated or (proven and (key in self._records or self._note_is_due(key)))):
            return
        try:
            for _ in range(WRITE_ATTEMPTS):
                # A refusal that came meanwhile is not cleared by the login that was taken before it.
                still = proven and key in self._proven
                if await self._store(key, refusals, repeated=repeated, proven=still, claimed=claimed):
                    return
        except (NatsError, TimeoutError, OSError):
            pass
        if refusals or repeated or (proven and key in self._records):
            self._store_later(key, proven=proven)

    async def _store(self, key: str, refusals: int, *, repeated: bool, proven: bool, claimed: bool) -> bool:
        """Write the record with `refusals` more, or remove it; False when it changed meanwhile."""
        value, revision = await self._bucket.entry(key)
        before = _read(key, value) or _Record(failed=0, last_at=self._clock())
        claim = None if claimed else before.trying_until
        failed = 0 if proven else max(before.failed + refusals, int(repeated))
        after = before.model_copy(update={"failed": failed, "trying_until": claim})
        after.taken = before.taken or (key in self._taken and not self._proven_at_once)
        if refusals or repeated or (proven and after.taken):
            after.last_at = self._clock()
        if not after.failed and not after.taken and claim is None:
            removed = value is None or await self._bucket.remove(key, revision)
            if removed and not self._refusals[key]:
                self._records.pop(key, None)
            return removed
        stored = await self._bucket.replace(key, after.model_dump_json().encode(), revision)
        if stored:
            self._remember(key, after)
        return stored

    def _remember(self, key: str, record: _Record) -> None:
        if record.failed:
            self._records[key] = record.login
        else:
            self._records.pop(key, None)
        if record.taken:
            self._noted[key] = record.last_at

    def _note_is_due(self, key: str) -> bool:
        """Whether others should hear that the device took the login: a refusal means something else to them then.

        At centres, which lock nothing, nobody needs that.
        """
        if key not in self._taken or self._proven_at_once:
            return False
        noted_at = self._noted.get(key)
        return noted_at is None or self._clock() - noted_at >= NOTE_LASTS

    def _store_later(self, key: str, *, proven: bool) -> None:
        """Store the same later, once NATS is there, by what is known here."""
        login = self._records.get(key)
        if proven or login is None or not login.failed:
            # That it was taken is written with a later login.
            self._records.pop(key, None)
            self._noted.pop(key, None)
            self._outgoing.queue_removal(topology.LOGIN_FAILURES, key)
        else:
            record = _Record(failed=login.failed, last_at=login.last_at, taken=login.taken)
            self._outgoing.queue_value(topology.LOGIN_FAILURES, key, record.model_dump_json().encode())


def _read(key: str, value: bytes | None) -> _Record | None:
    if value is None:
        return None
    try:
        return _Record.model_validate_json(value)
    except ValidationError:
        log.warning("login_record_malformed", key=key)
        return None
