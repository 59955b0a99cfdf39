"""What a camera's network and account may be asked to bear: so many looks at a time, so many failed logins."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from prober.domain.logins import DeviceLogin
from vonggac.bus import Outgoing, topology
from vonggac.events import subjects
from vonggac.telemetry import get_logger

log = get_logger(__name__)


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


class LoginGuard:
    """Counts failed logins by device and login, over all cameras of a recorder, all probers and all restarts.

    While a login is not proven, one look at a time tries it at that device: thirty channels with one wrong password
    would lock the recorder's account before the first answer is read.
    """

    def __init__(
        self, outgoing: Outgoing, *, cooldown_s: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._outgoing, self._cooldown_s, self._clock = outgoing, cooldown_s, clock
        self._records: dict[str, DeviceLogin] = {}
        self._proven: set[str] = set()
        self._trying: set[str] = set()

    def on_value(self, key: str, value: bytes | None) -> None:
        """A change in the bucket, by whichever prober."""
        if value is None:
            self._records.pop(key, None)
            return
        try:
            record = _Record.model_validate_json(value)
        except ValidationError:
            log.warning("login_record_malformed", key=key)
            return
        self._records[key] = DeviceLogin(record.failed, record.last_at)
        self._proven.discard(key)

    def rest_left_s(self, key: str) -> float | None:
        """Seconds until the login may be tried at the device again; None when it may now."""
        record = self._records.get(key)
        return record.rest_left_s(self._clock(), cooldown_s=self._cooldown_s) if record is not None else None

    def is_being_tried(self, key: str) -> bool:
        """Whether another look is finding out right now if this login works."""
        return key in self._trying

    @contextmanager
    def trying(self, key: str) -> Iterator[None]:
        """Hold off other looks with an unproven login while this one lasts."""
        mine = key not in self._proven and key not in self._trying
        if mine:
            self._trying.add(key)
        try:
            yield
        finally:
            if mine:
                self._trying.discard(key)

    def accepted(self, key: str) -> None:
        """The device took the login."""
        self._proven.add(key)
        if self._records.pop(key, None) is not None:
            self._outgoing.removal(subjects.key_value(topology.LOGIN_FAILURES, key))

    def refused(self, key: str) -> None:
        """The device refused the login."""
        now = self._clock()
        record = self._records.get(key, DeviceLogin(0, now)).another(now)
        self._records[key] = record
        self._proven.discard(key)
        stored = _Record(failed=record.failed, last_at=record.last_at)
        self._outgoing.value(subjects.key_value(topology.LOGIN_FAILURES, key), stored.model_dump_json().encode())
