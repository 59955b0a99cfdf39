"""Sessions: a record per cookie in a NATS bucket, under the cookie's digest and sealed with a key made of the cookie.

Whoever reads the bus, its disk or a backup has nothing, and there is no key to keep.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from vonggac.bus import Bucket
from vonggac.telemetry import get_logger

log = get_logger(__name__)

COOKIE_BYTES = 32
FULL_AT = 0.9
"""Share of the bucket from which on nobody new is let in: the rest is for the tokens of who is."""
_ADDRESS, _KEY = b"vonggac address", b"vonggac session"
"""`person` of BLAKE2b: two values of one cookie, of which neither leads to the other."""


@dataclass(frozen=True, slots=True)
class Session:
    """One person in one browser. Times in Unix seconds."""

    subject: str
    name: str
    access: str
    refresh: str | None
    identity: str | None
    expires_at_s: float
    """Of the access token."""
    began_at_s: float
    seen_at_s: float
    refreshed_by_s: float = 0.0
    """Until then one process fetches new tokens, and the others wait for it."""
    screen: str = ""
    """Name of the wall screen that it is of; "" for a person's browser."""


class NoRoomError(Exception):
    """The bucket is as full as new records may make it."""


class Sessions:
    """The sessions of all replicas."""

    def __init__(self, bucket: Bucket, unix_s: Callable[[], float], *, longest_s: float, idle_s: float) -> None:
        self._bucket, self._unix_s, self._longest_s, self._idle_s = bucket, unix_s, longest_s, idle_s

    async def open(self, session: Session) -> str:
        """Open a session and return its cookie. Raises NoRoomError, NatsError or TimeoutError when NATS is away."""
        if await self._bucket.used() >= FULL_AT:
            log.warning("no_room_for_sessions", bucket=self._bucket.name)
            raise NoRoomError
        cookie = secrets.token_urlsafe(COOKIE_BYTES)
        await self._bucket.put(address_of(cookie), self._to_record(session, cookie))
        return cookie

    async def load(self, cookie: str) -> tuple[Session, int] | None:
        """Load a session with its revision; None: unknown, over, idle or damaged. Raises NatsError, TimeoutError."""
        value, revision = await self._bucket.entry(address_of(cookie))
        session = self._from_record(value, cookie) if value else None
        if session is None:
            return None
        now = self._unix_s()
        if now - session.began_at_s > self._longest_s or now - session.seen_at_s > self._idle_s:
            await self._bucket.delete(address_of(cookie))
            return None
        return session, revision

    async def replace(self, cookie: str, session: Session, revision: int) -> bool:
        """Whether it was written: somebody else may have been first. Raises NatsError or TimeoutError."""
        return await self._bucket.replace(address_of(cookie), self._to_record(session, cookie), revision)

    async def note_visit(self, cookie: str, session: Session, revision: int) -> None:
        """Put the end of idleness off; who was first has done so. Raises NatsError or TimeoutError."""
        await self.replace(cookie, replace(session, seen_at_s=self._unix_s()), revision)

    async def close(self, cookie: str) -> None:
        """Close the session of a cookie. Raises NatsError or TimeoutError when NATS is away."""
        await self._bucket.delete(address_of(cookie))

    def _to_record(self, session: Session, cookie: str) -> bytes:
        return seal(session, cookie)

    def _from_record(self, record: bytes, cookie: str) -> Session | None:
        return unseal(record, cookie)


def address_of(cookie: str) -> str:
    """Compute the key of a cookie's record in the bucket."""
    return hashlib.blake2b(cookie.encode(), digest_size=32, person=_ADDRESS).hexdigest()


def seal(session: Session, cookie: str) -> bytes:
    """Seal the session into a record that this cookie alone opens."""
    return bytes(SecretBox(_key_of(cookie)).encrypt(json.dumps(asdict(session)).encode()))


def unseal(sealed: bytes, cookie: str) -> Session | None:
    """None for a record of another release, or a damaged one."""
    try:
        return Session(**json.loads(SecretBox(_key_of(cookie)).decrypt(sealed)))
    except (CryptoError, ValueError, TypeError):
        log.warning("session_unreadable")
        return None


def _key_of(cookie: str) -> bytes:
    return hashlib.blake2b(cookie.encode(), digest_size=SecretBox.KEY_SIZE, person=_KEY).digest()
