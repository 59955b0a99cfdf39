"""A crowd that has not logged in: it is answered a few at a time, and media goes in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from forwarder.relay.server.connection import CentreOfConnection
from forwarder.relay.server.stranger_connection import STRANGER_REQUESTS_AT_ONCE, STRANGERS_AT_ONCE
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.messages import Request
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import CountIterations, Iterations

    from forwarder.relay.server.listener import CentreListener

REQUEST = b"DESCRIBE rtsp://127.0.0.1/ioc/gate RTSP/1.0\r\nCSeq: %d\r\n\r\n"
type Connections = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
type Connect = Callable[[int], Awaitable[Connections]]


@pytest_asyncio.fixture
async def answered(monkeypatch: pytest.MonkeyPatch, count_iterations: CountIterations) -> Iterations:
    """The requests that were answered."""
    noted, answer = count_iterations(), CentreOfConnection.reply_to

    def note(connection: CentreOfConnection, request: Request) -> Reply | None:
        noted.note()
        return answer(connection, request)

    monkeypatch.setattr(CentreOfConnection, "reply_to", note)
    return noted


@pytest_asyncio.fixture
async def connect(listener: CentreListener) -> AsyncIterator[Connect]:
    connections: Connections = []

    async def connect_many(many: int) -> Connections:
        assert listener.port is not None
        connections.extend([await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(many)])
        await eventually(lambda: listener.connections == many)
        return connections

    yield connect_many
    for _, writer in connections:
        writer.transport.abort()


async def test_served_crowd_that_asks_at_once_is_answered_in_shares(connect: Connect, answered: Iterations) -> None:
    crowd = await connect(100)
    for _, writer in crowd:
        writer.write(REQUEST % 1)
    for reader, _ in crowd:
        assert b" 401 " in await asyncio.wait_for(reader.readline(), 10)
    assert answered.total == 100
    assert answered.most <= STRANGERS_AT_ONCE


async def test_served_crowd_that_asks_a_hundred_times_each_loses_no_answer(
    connect: Connect, answered: Iterations
) -> None:
    crowd = await connect(20)
    for _, writer in crowd:
        writer.write(b"".join(REQUEST % number for number in range(1, 101)))
    for reader, _ in crowd:
        answers = b""
        while answers.count(b"\r\n\r\n") < 100:
            answers += await asyncio.wait_for(reader.read(65536), 10)
        numbers = [int(line[6:]) for line in answers.split(b"\r\n") if line.startswith(b"CSeq: ")]
        assert numbers == list(range(1, 101))
    assert answered.most <= STRANGERS_AT_ONCE * STRANGER_REQUESTS_AT_ONCE


async def test_served_stranger_that_leaves_amid_the_crowd_ends_with_what_it_asked(
    listener: CentreListener, connect: Connect, answered: Iterations
) -> None:
    crowd = await connect(60)
    for _, writer in crowd:
        writer.write(REQUEST % 1)
        writer.transport.abort()
    await eventually(lambda: listener.connections == 0)
    assert answered.most <= STRANGERS_AT_ONCE
