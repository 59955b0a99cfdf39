"""The provider of the public keys may be slow, away or mad: callers wait once, and known keys go on for a set time."""

import asyncio
import gzip
import json
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vonggac.auth import Role, TokenVerifier
from vonggac.auth.key_set import REFRESH_AFTER_S, REFRESH_NOT_BEFORE_S, KeySet, KeysUnavailableError, UnknownKeyError
from vonggac.auth.keys import JWKS
from vonggac.auth.tokens import TokenError
from vonggac.telemetry.public_keys import unread_for_s

type Json = dict[str, Any]


class Clock:
    """Seconds that pass when the test says so."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Provider:
    """An HTTP server with a key set. `mood`: fine, broken, silent, or a body of its own."""

    def __init__(self, document: bytes) -> None:
        self.document, self.asked, self.port = document, 0, 0
        self.status, self.gate, self.more = 200, asyncio.Event(), ""
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        await self.gate.wait()
        head = (
            f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(self.document)}\r\n{self.more}Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + self.document)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def provider(keys_folder: Path) -> AsyncIterator[Provider]:
    made = Provider((keys_folder / JWKS).read_bytes())
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield made
        finally:
            # The server waits for answers under way, also where the test fails.
            made.gate.set()


@pytest.fixture
def key_id(keys_folder: Path) -> str:
    return str(json.loads((keys_folder / JWKS).read_text("utf-8"))["keys"][0]["kid"])


async def settled(keys: KeySet) -> None:
    reading = keys._reading
    if reading is not None:
        await reading


async def test_a_hundred_callers_at_once_cost_one_question(keys_folder: Path, key_id: str) -> None:
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url)
        found = await asyncio.gather(*(keys.get(key_id) for _ in range(100)))
        assert {key.key_id for key in found} == {key_id}
        assert oidc.asked == 1


async def test_an_absent_provider_is_not_asked_by_every_call(keys_folder: Path, key_id: str) -> None:
    clock = Clock()
    async with provider(keys_folder) as oidc:
        oidc.status = 500
        keys = KeySet(file=None, url=oidc.url, now=clock)
        for _ in range(20):
            with pytest.raises(KeysUnavailableError, match="cannot be read"):
                await keys.get(key_id)
        assert oidc.asked == 1
        oidc.status = 200
        clock.now_s += REFRESH_NOT_BEFORE_S
        assert (await keys.get(key_id)).key_id == key_id


async def test_how_long_keys_cannot_be_read_counts_from_the_first_failure_to_the_next_success(
    keys_folder: Path, key_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.telemetry.public_keys._FAILS_SINCE", {})
    clock = Clock()
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url, now=clock)
        await keys.get(key_id)
        assert unread_for_s(clock()) == 0
        oidc.status = 503
        for waited_s in (REFRESH_AFTER_S, 60.0, 60.0):
            clock.now_s += waited_s
            await keys.get(key_id)
            await settled(keys)
        assert unread_for_s(clock() + 5) == 125
        oidc.status = 200
        clock.now_s += REFRESH_NOT_BEFORE_S
        await keys.get(key_id)
        await settled(keys)
        assert unread_for_s(clock()) == 0


async def test_old_keys_answer_at_once_and_are_read_anew_beside(keys_folder: Path, key_id: str) -> None:
    clock = Clock()
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url, now=clock)
        await keys.get(key_id)
        clock.now_s += REFRESH_AFTER_S
        oidc.gate.clear()
        async with asyncio.timeout(1):
            for _ in range(10):
                assert (await keys.get(key_id)).key_id == key_id
        oidc.gate.set()
        await settled(keys)
        assert oidc.asked == 2


async def test_known_keys_outlive_their_provider_for_a_set_time(keys_folder: Path, key_id: str) -> None:
    clock = Clock()
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url, now=clock, stale_for_s=1000)
        await keys.get(key_id)
        oidc.status = 503
        for _ in range(9):
            clock.now_s += 100
            assert (await keys.get(key_id)).key_id == key_id
            await settled(keys)
        clock.now_s += 100
        with pytest.raises(KeysUnavailableError):
            await keys.get(key_id)


async def test_a_key_that_nobody_has_is_asked_for_once_in_a_while(keys_folder: Path, key_id: str) -> None:
    clock = Clock()
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url, now=clock)
        await keys.get(key_id)
        clock.now_s += REFRESH_NOT_BEFORE_S
        for number in range(50):
            with pytest.raises(UnknownKeyError):
                await keys.get(f"made-up-{number}")
        assert oidc.asked == 2


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"null", b"{}", b'{"keys": 5}', b"[" * 100_000, b'{"keys": []}' + b" " * (2 << 20)]
)
async def test_what_is_no_key_set_is_a_failure_and_no_crash(keys_folder: Path, key_id: str, document: bytes) -> None:
    async with provider(keys_folder) as oidc:
        oidc.document = document
        with pytest.raises(KeysUnavailableError):
            await KeySet(file=None, url=oidc.url).get(key_id)


async def test_a_caller_who_leaves_does_not_stop_the_reading_of_others(keys_folder: Path, key_id: str) -> None:
    async with provider(keys_folder) as oidc:
        oidc.gate.clear()
        keys = KeySet(file=None, url=oidc.url)
        leaving, staying = asyncio.create_task(keys.get(key_id)), asyncio.create_task(keys.get(key_id))
        await asyncio.sleep(0.05)
        leaving.cancel()
        oidc.gate.set()
        assert (await staying).key_id == key_id
        assert oidc.asked == 1


async def test_tokens_are_verified_by_the_keys_of_a_provider(
    keys_folder: Path, token_for: Callable[[Role], str]
) -> None:
    async with provider(keys_folder) as oidc:
        given: dict[str, Any] = {"jwks_file": None, "issuer": "vong-gac", "audience": "vong-gac"}
        verifier = TokenVerifier(jwks_url=oidc.url, **given)
        assert (await verifier.verify(token_for(Role.READER))).subject == "test-reader"
        short = TokenVerifier(jwks_url=oidc.url, max_lifetime=timedelta(minutes=30), **given)
        with pytest.raises(TokenError, match=r"longer than 0\.5 hours"):
            await short.verify(token_for(Role.READER))


@pytest.mark.parametrize("purpose", [{"use": "enc"}, {"key_ops": ["encrypt", "wrapKey"]}])
async def test_a_key_to_encrypt_for_signs_nothing(keys_folder: Path, key_id: str, purpose: Json) -> None:
    async with provider(keys_folder) as oidc:
        document = json.loads(oidc.document)
        document["keys"].append(document["keys"][0] | {"kid": "for-encryption"} | purpose)
        oidc.document = json.dumps(document).encode()
        keys = KeySet(file=None, url=oidc.url)
        await keys.get(key_id)
        with pytest.raises(UnknownKeyError):
            await keys.get("for-encryption")


async def test_a_provider_that_withdraws_its_last_key_is_believed(keys_folder: Path, key_id: str) -> None:
    clock = Clock()
    async with provider(keys_folder) as oidc:
        keys = KeySet(file=None, url=oidc.url, now=clock)
        await keys.get(key_id)
        oidc.document = b'{"keys": []}'
        clock.now_s += REFRESH_AFTER_S
        await keys.get(key_id)
        await settled(keys)
        with pytest.raises(UnknownKeyError):
            await keys.get(key_id)


async def test_a_packed_answer_is_not_unpacked(keys_folder: Path, key_id: str) -> None:
    async with provider(keys_folder) as oidc:
        oidc.document, oidc.more = gzip.compress(b" " * (64 << 20)), "Content-Encoding: gzip\r\n"
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        keys = KeySet(file=None, url=oidc.url)
        with pytest.raises(KeysUnavailableError):
            await keys.get(key_id)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 32 << 10
