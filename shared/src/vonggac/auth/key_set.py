"""The public keys that sign callers' tokens, from a file or an OIDC provider, kept so that its absence is survived.

One reading at a time, whoever waits for it. A failure is remembered: a provider that is away is not asked again by
every call. Keys that are on hand are used while they are read anew in the background, and for a set time after the
provider has gone.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jwt

from vonggac.telemetry.certificates import OIDC, note_certificate
from vonggac.telemetry.logs import get_logger
from vonggac.telemetry.public_keys import note_reading

log = get_logger(__name__)

REFRESH_AFTER_S = 300.0
"""Keys older than this are read anew."""
REFRESH_NOT_BEFORE_S = 10.0
"""Between two readings, whatever keys are asked for, and after a failure."""
STALE_FOR_S = 3600.0
"""For which keys hold that cannot be read anew."""
FETCH_TIMEOUT_S = 5.0
MAX_BYTES = 1 << 20


class UnknownKeyError(Exception):
    """No key has this id."""


class KeysUnavailableError(Exception):
    """The keys cannot be read, and none is on hand that still holds. The message is safe to show."""


def _signing_keys(document: dict[str, Any]) -> Iterator[jwt.PyJWK]:
    """Those to verify with: keys to encrypt for, and of algorithms that nobody knows, are for others (RFC 7517 §5).

    An empty list is an answer too: all keys are withdrawn. Raises KeyError or TypeError for what is no key set.
    """
    listed = document["keys"]
    if not isinstance(listed, list):
        msg = "no list of keys"
        raise TypeError(msg)
    for one in listed:
        if one.get("use", "sig") != "sig" or "verify" not in one.get("key_ops", ["verify"]):
            continue
        with suppress(jwt.PyJWTError):
            yield jwt.PyJWK.from_dict(one)


class KeySet:
    """Keys by their id."""

    def __init__(
        self,
        *,
        file: Path | None,
        url: str | None,
        now: Callable[[], float] = time.monotonic,
        stale_for_s: float = STALE_FOR_S,
    ) -> None:
        """`url` wins over `file`."""
        self._file, self._url, self._now, self._stale_for_s = file, url, now, stale_for_s
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._failure = ""
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key_id: str) -> jwt.PyJWK:
        """Find the key. Raises UnknownKeyError, or KeysUnavailableError where nobody can know."""
        age_s = self._since(self._read_at)
        if key_id in self._keys and age_s < self._stale_for_s:
            if age_s >= REFRESH_AFTER_S:
                self._begin_reading()
            return self._keys[key_id]
        # At first, for an unknown key, and when what is on hand holds no longer: then there is something to wait for.
        reading = self._begin_reading()
        if reading is not None:
            await asyncio.shield(reading)
        if self._since(self._read_at) >= self._stale_for_s:
            msg = f"the public keys cannot be read: {self._failure}"
            raise KeysUnavailableError(msg)
        if key_id not in self._keys:
            raise UnknownKeyError
        return self._keys[key_id]

    def _since(self, instant: float | None) -> float:
        return float("inf") if instant is None else self._now() - instant

    def _begin_reading(self) -> asyncio.Task[None] | None:
        """Begin reading, or join it; None so shortly after the last one that another means nothing."""
        if self._reading is not None and not self._reading.done():
            return self._reading
        if self._since(self._tried_at) < REFRESH_NOT_BEFORE_S:
            return None
        self._tried_at = self._now()
        self._reading = asyncio.get_running_loop().create_task(self._read(), name="public keys")
        return self._reading

    async def _read(self) -> None:
        try:
            keys = list(_signing_keys(await self._document()))
        except (
            httpx.HTTPError,
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            jwt.PyJWTError,
        ) as error:
            self._failure = type(error).__name__
            note_reading(self._source, failed=True, now_s=self._now())
            log.warning("public_keys_not_read", error=self._failure, known=len(self._keys))
            return
        self._keys = {key.key_id or "": key for key in keys}
        self._read_at = self._now()
        note_reading(self._source, failed=False, now_s=self._read_at)

    @property
    def _source(self) -> str:
        return str(self._url or self._file)

    async def _document(self) -> dict[str, Any]:
        if self._url is None:
            assert self._file is not None
            return dict(json.loads(await asyncio.to_thread(self._file.read_text, "utf-8")))
        body = bytearray()
        # What was packed all the same stays so, and is no JSON: a megabyte would become a thousand in one piece.
        unpacked = {"Accept-Encoding": "identity"}
        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, headers=unpacked) as client,
            client.stream("GET", self._url) as answer,
        ):
            if (line := answer.extensions.get("network_stream")) is not None:
                note_certificate(OIDC, line.get_extra_info("ssl_object"))
            answer.raise_for_status()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MAX_BYTES:
                    msg = "more than any key set has"
                    raise ValueError(msg)
        return dict(json.loads(body))
