"""A scripted RTSP server on a real socket: a test says what it answers, and sees what it was asked."""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from vonggac.rtsp.framing import Deframer, MediaBatch
from vonggac.rtsp.messages import Headers, Request, Response

type Answer = Callable[[Request], Response | bytes | None]


class ScriptedPeer:
    """`answer` gets each request and returns a response, raw bytes, or None for silence.

    A Response gets the request's CSeq. `requests`, `responses` and `media` hold what came in, in order.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self.media: list[MediaBatch] = []
        self.connections = 0
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The latest connection's."""
        return self._writers[-1]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`; looked at after everything that arrives and every connection that ends."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(holds)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        deframer = Deframer()
        try:
            while data := await reader.read(65536):
                for item in deframer.feed(data):
                    self._take(item, writer)
                await self._tell()
        except ConnectionError:
            writer.transport.abort()
        finally:
            writer.close()
            await self._tell()

    def _take(self, item: MediaBatch | Request | Response, writer: asyncio.StreamWriter) -> None:
        if isinstance(item, MediaBatch):
            self.media.append(item)
        elif isinstance(item, Response):
            self.responses.append(item)
        else:
            self.requests.append(item)
            answer = self.answer(item)
            if isinstance(answer, Response):
                answer.headers.set("CSeq", str(item.cseq))
                answer = answer.encode()
            if answer is not None:
                writer.write(answer)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def reply(
    status: int = 200, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", reason: str = "OK"
) -> Response:
    """A response with these header fields."""
    return Response(status, reason, Headers(headers), body)
