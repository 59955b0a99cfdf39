"""What is kept of forms for a while: that one was sent, and what was typed when its session had ended.

Both lie in the bucket of the sessions. What was typed is sealed with a key that the browser alone has, and kept for a
browser that had a session, one form for each: the bucket lies where the facts do, and nobody fills it from outside.
"""

import asyncio
import hashlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from console.sign_in.sessions import NoRoomError, address_of
from vonggac.bus import Bucket

WAIT_S, POLL_S = 30.0, 0.2
DRAFTS_UP_TO = 0.5
"""Share of the bucket: what was typed is up to a megabyte, and keeps nobody from signing in."""
_SENT, _DRAFT, _KEY, _OPENS = b"vonggac-sent", b"vonggac-draft", b"vonggac-draftkey", b"vonggac-opens"
_GOES_ON = b"-"


class KeptForms:
    """Of all replicas."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def begin(self, subject: str, key: str) -> str | None:
        """None: this form is sent by whoever asks, now. Otherwise where it led; "" when that is not known.

        Raises NatsError or TimeoutError when NATS is away.
        """
        address = _digest(f"{subject}\0{key}", _SENT)
        if await self._bucket.replace(address, _GOES_ON, 0):
            return None
        for _ in range(int(WAIT_S / POLL_S)):
            value, revision = await self._bucket.entry(address)
            if value is None:
                return None if await self._bucket.replace(address, _GOES_ON, revision) else ""
            if value != _GOES_ON:
                return value.decode()
            await asyncio.sleep(POLL_S)
        return ""

    async def finish(self, subject: str, key: str, led_to: str) -> None:
        """Store that a form was carried out, and where it led. Raises NatsError or TimeoutError."""
        await self._bucket.put(_digest(f"{subject}\0{key}", _SENT), led_to.encode())

    async def release(self, subject: str, key: str) -> None:
        """Release the key of a refused form: it may be sent again. Raises NatsError or TimeoutError."""
        await self._bucket.delete(_digest(f"{subject}\0{key}", _SENT))

    async def has_ended(self, session: str) -> bool:
        """Whether there was a session of this cookie: what was removed leaves its mark in the bucket as long as a
        session does. Raises NatsError or TimeoutError.
        """
        _, revision = await self._bucket.entry(address_of(session))
        return revision > 0

    async def store_draft(self, session: str, typed: bytes) -> str:
        """Store what was typed, over what this session's browser had typed before; return the cookie that opens it.

        Raises NoRoomError where the bucket is half full, NatsError or TimeoutError.
        """
        if await self._bucket.used() >= DRAFTS_UP_TO:
            raise NoRoomError
        cookie = _digest(session, _OPENS)
        await self._bucket.put(_digest(cookie, _DRAFT), bytes(SecretBox(_key(cookie)).encrypt(typed)))
        return cookie

    async def take_draft(self, cookie: str) -> bytes | None:
        """Take what was typed, once; None: it is gone. Raises NatsError or TimeoutError."""
        address = _digest(cookie, _DRAFT)
        value, _ = await self._bucket.entry(address)
        if not value:
            return None
        await self._bucket.delete(address)
        try:
            return bytes(SecretBox(_key(cookie)).decrypt(value))
        except CryptoError:
            return None


def _digest(text: str, person: bytes) -> str:
    return hashlib.blake2b(text.encode(), digest_size=32, person=person).hexdigest()


def _key(cookie: str) -> bytes:
    return hashlib.blake2b(cookie.encode(), digest_size=SecretBox.KEY_SIZE, person=_KEY).digest()
