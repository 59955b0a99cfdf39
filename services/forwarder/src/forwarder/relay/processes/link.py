"""Questions of the parent and answers of a child, over a socket pair: each a JSON document behind its length."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

_LENGTH = struct.Struct(">I")
MAX_DOCUMENT_BYTES = 256 << 20
"""Bound of what either end takes: a thousand times what two hundred cameras say of themselves."""


class LinkError(Exception):
    """The other end is gone, or did not answer in time."""


class Link:
    """One end. It belongs to whoever made it, who must `close` it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def of(cls, end: socket.socket) -> Self:
        """Take over one end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send(self, document: object) -> None:
        """Queue a document; the other end reads or is gone."""
        encoded = json.dumps(document).encode()
        self._writer.write(_LENGTH.pack(len(encoded)) + encoded)

    async def receive(self) -> Any:
        """The next document. Raises LinkError at the end."""
        try:
            (size,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if size > MAX_DOCUMENT_BYTES:
                msg = f"a document of {size} bytes was announced"
                raise LinkError(msg)
            return json.loads(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError) as error:
            msg = "the other end is gone"
            raise LinkError(msg) from error

    def close(self) -> None:
        self._writer.close()


class Asker:
    """The parent's end: asks, and matches answers to questions. `run` must run beside it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    async def ask(self, question: str, *, within_s: float) -> Any:
        """Raises LinkError when no answer comes in time."""
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._link.send({"number": number, "ask": question})
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            msg = f"no answer to {question} within {within_s:.3g} s"
            raise LinkError(msg) from None
        finally:
            del self._waiting[number]

    async def run(self) -> None:
        """Take answers until the other end is gone; then every question fails."""
        try:
            while True:
                document = await self._link.receive()
                answer = self._waiting.get(document["number"])
                if answer is not None and not answer.done():
                    answer.set_result(document["answer"])
        except LinkError as error:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(error)


async def serve(link: Link, answers: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
    """The child's end: answer questions until the parent is gone."""
    while True:
        try:
            document = await link.receive()
        except LinkError:
            return
        link.send({"number": document["number"], "answer": await answers[document["ask"]]()})
