"""A hundred connections cut at random while a survey is sent from the field: nothing is lost, nothing is doubled."""

import asyncio
import contextlib
import hashlib
import json
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
import uvicorn
from sqlalchemy import NullPool, create_engine, text

from inventory.app import create_app
from inventory.settings import Settings
from vonggac.auth import Role
from vonggac.testing import eventually

CUTS = 100
PHOTO = b"\xff\xd8\xff\xdb\x00\x04\x00\x01\xff\xda\x00\x04\x00\x01%s\xff\xd9"
LINGER_0 = struct.pack("ii", 1, 0)
"""Closing then resets the connection: what is under way is gone."""


def photo(number: int) -> bytes:
    return PHOTO % (bytes((number,)) * 120_000)


@pytest_asyncio.fixture
async def served(settings: Settings) -> AsyncIterator[int]:
    """Inventory at a real socket; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings), log_config=None, access_log=False, lifespan="on", loop="asyncio")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started)
    yield listener.getsockname()[1]
    server.should_exit = True
    await running


class Link:
    """A bad line: each request is cut at a random place, going or coming, or gets through."""

    def __init__(self, port: int, token: str, seed: int) -> None:
        self._port, self._token, self._dice = port, token, random.Random(seed)  # repeatable
        self.cuts = 0

    async def put(self, path: str, body: bytes, kind: str) -> int | None:
        """The status, or None when the line was cut before the answer was whole."""
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: inventory\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        request = head.encode() + body
        where = self._dice.choice(("request", "answer", "nowhere")) if self.cuts < CUTS else "nowhere"
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        if where == "request":
            request = request[: self._dice.randrange(len(request))]
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
            if where == "nowhere":
                answer = await reader.read()
                writer.close()
                return int(answer.split()[1])
            if where == "answer":
                await asyncio.sleep(self._dice.uniform(0, 0.03))
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        writer.transport.abort()
        self.cuts += 1
        return None

    async def put_until_answered(self, path: str, body: bytes, kind: str) -> None:
        while (status := await self.put(path, body, kind)) is None:
            pass
        assert status == 200


@pytest.mark.parametrize("seed", [1742])
async def test_a_hundred_cut_connections_lose_and_double_nothing(
    field: Any, served: int, token_for: Callable[[Role], str], inventory_url: str, seed: int
) -> None:
    await field.prepare()
    survey = await field.survey_in_progress()
    one = f"/v1/surveys/{survey['id']}"
    contents = {hashlib.sha256(photo(number)).hexdigest(): photo(number) for number in range(1, 31)}
    body = field.findings(*contents.values())
    submission = f"{one}/submissions/{uuid4()}"
    link = Link(served, token_for(Role.OPERATOR), seed)
    dice = random.Random(seed)  # repeatable
    findings = json.dumps(body).encode()
    await link.put_until_answered(submission, findings, "application/json")
    while link.cuts < CUTS:
        await link.put_until_answered(submission, findings, "application/json")
        waiting = (await field.client.get(submission)).json()["missing"]
        sha256 = dice.choice(waiting[1:] or list(contents))
        await link.put(f"{one}/attachments/{sha256}", contents[sha256], "image/jpeg")
    for sha256 in (await field.client.get(submission)).json()["missing"]:
        await link.put_until_answered(f"{one}/attachments/{sha256}", contents[sha256], "image/jpeg")
    shown = (await field.client.get(submission)).json()
    assert (shown["status"], shown["missing"], link.cuts) == ("submitted", [], CUTS)
    for sha256, content in contents.items():
        answer: httpx.Response = await field.client.get(f"{one}/attachments/{sha256}")
        assert hashlib.sha256(answer.content).hexdigest() == sha256 == hashlib.sha256(content).hexdigest()
    history = (await field.client.get(f"{one}/history", params={"limit": 100})).json()["items"]
    moves = [each for each in history if (each["before"] or {}).get("submission_id") != each["after"]["submission_id"]]
    submitted = [each for each in history if each["after"]["status"] == "submitted"]
    assert (len(moves), len(submitted)) == (1, 1)
    engine = create_engine(inventory_url, poolclass=NullPool)
    with engine.begin() as connection:
        counts = [
            connection.scalar(text(f"select count(*) from {table} where survey_id = :id"), {"id": survey["id"]})  # noqa: S608 # names of the test
            for table in ("survey_submissions", "survey_contents")
        ]
    engine.dispose()
    assert counts == [1, len(contents)]
