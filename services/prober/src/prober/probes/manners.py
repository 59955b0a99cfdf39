"""What a camera's network and account may be asked to bear: so many looks at a time, so many failed logins."""

import ipaddress
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from prober.domain.logins import DeviceLogin
from vonggac.bus import Bucket, Outgoing, topology
from vonggac.events import subjects
from vonggac.telemetry import get_logger

log = get_logger(__name__)

TURN_LASTS = timedelta(seconds=90)
"""Longer than any look."""


class NetworkGate:
    """Bounds the looks of this process at one site network."""

    def __init__(self, most: int, *, prefix_v4: int, prefix_v6: int) -> None:
        """`most`: looks at a time at one network, 0 for no bound; prefixes: bits that make a network."""
        self._most, self._prefix_v4, self._prefix_v6 = most, prefix_v4, prefix_v6
        self._inside: Counter[str] = Counter()

    def network_of(self, host: str, facility_id: UUID | None) -> str:
        """The network of an IP address; for a name the facility, which is resolved only in the look itself."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return str(facility_id) if facility_id is not None else host.lower()
        bits = self._prefix_v4 if address.version == 4 else self._prefix_v6
        return str(ipaddress.ip_network((address, bits), strict=False))

    def is_full(self, network: str) -> bool:
        return 0 < self._most <= self._inside[network]

    @contextmanager
    def within(self, network: str) -> Iterator[None]:
        """Count a look while it lasts."""
        self._inside[network] += 1
        try:
            yield
        finally:
            self._inside[network] -= 1
            if not self._inside[network]:
                del self._inside[network]


class _Record(BaseModel):
    """What the bucket holds of one login at one device; its key is a keyed hash of both."""

    model_config = ConfigDict(extra="ignore")

    failed: int = Field(ge=0)
    last_at: AwareDatetime
    trying_until: AwareDatetime | None = None
    """Some prober tries the login now; it lets go by itself if that prober dies."""

    @property
    def login(self) -> DeviceLogin:
        return DeviceLogin(self.failed, self.last_at)


class LoginGuard:
    """Counts failed logins by device and login, over all cameras of a recorder, all probers and all restarts.

    While a login is not proven, one look at a time tries it at that device, whichever prober makes it: thirty channels
    with one wrong password would lock the recorder's account before the first answer is read. The turn is taken by a
    write that fails when the record changed meanwhile.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        bucket: Bucket,
        *,
        cooldown_s: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`bucket`: `login_failures`; `outgoing` writes there, too."""
        self._outgoing, self._bucket, self._cooldown_s, self._clock = outgoing, bucket, cooldown_s, clock
        self._records: dict[str, DeviceLogin] = {}
        self._proven: set[str] = set()
        self._trying: set[str] = set()

    def on_value(self, key: str, value: bytes | None) -> None:
        """A change in the bucket, by whichever prober."""
        record = _read(key, value)
        if record is None:
            self._records.pop(key, None)
            return
        self._records[key] = record.login
        if record.failed:
            self._proven.discard(key)

    def rest_left_s(self, key: str) -> float | None:
        """Seconds until the login may be tried at the device again; None when it may now."""
        record = self._records.get(key)
        return record.rest_left_s(self._clock(), cooldown_s=self._cooldown_s) if record is not None else None

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[bool]:
        """Whether this look may try the login now; other looks hold off with an unproven one while it lasts."""
        if key in self._proven:
            yield True
            return
        if key in self._trying or not await self._take(key):
            yield False
            return
        try:
            yield True
        finally:
            await self._give_turn_back(key)

    def accepted(self, key: str) -> None:
        """The device took the login."""
        self._proven.add(key)
        if self._records.pop(key, None) is not None and key not in self._trying:
            self._tell(key, self._stored(key))

    def refused(self, key: str) -> None:
        """The device refused the login."""
        now = self._clock()
        self._proven.discard(key)
        self._records[key] = self._records.get(key, DeviceLogin(0, now)).another(now)
        if key not in self._trying:
            self._tell(key, self._stored(key))

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

    async def _give_turn_back(self, key: str) -> None:
        """What came of the try is stored before the next look may have the turn."""
        stored = self._stored(key)
        try:
            if stored is None:
                await self._bucket.delete(key)
            else:
                await self._bucket.put(key, stored)
        except (NatsError, TimeoutError, OSError):
            self._tell(key, stored)
        finally:
            self._trying.discard(key)

    def _tell(self, key: str, stored: bytes | None) -> None:
        """The same later, once NATS is there."""
        subject = subjects.key_value(topology.LOGIN_FAILURES, key)
        if stored is None:
            self._outgoing.removal(subject)
        else:
            self._outgoing.value(subject, stored)

    def _stored(self, key: str) -> bytes | None:
        login = self._records.get(key)
        if login is None or not login.failed:
            return None
        return _Record(failed=login.failed, last_at=login.last_at).model_dump_json().encode()


def _read(key: str, value: bytes | None) -> _Record | None:
    if value is None:
        return None
    try:
        return _Record.model_validate_json(value)
    except ValidationError:
        log.warning("login_record_malformed", key=key)
        return None
