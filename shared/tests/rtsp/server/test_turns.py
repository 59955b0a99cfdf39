"""A client that sends a thousand requests at once is answered in order, and nobody waits for all of its answers."""

import asyncio

from vonggac.rtsp.server.connection import ServerConnection
from vonggac.rtsp.server.liveness import Patience
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.wire.messages import Request

AT_ONCE = 16
REQUESTS = 1000


class Counting(ServerConnection):
    """Counts what is answered in one iteration of the event loop."""

    def __init__(self) -> None:
        super().__init__(Patience(60.0), at_once=AT_ONCE)
        self.answered = self.most = 0

    def connected(self) -> None:
        pass

    def disconnected(self) -> None:
        pass

    def reply_to(self, request: Request) -> Reply:
        if not self.answered:
            self._loop.call_soon(self._begin_iteration)
        self.answered += 1
        self.most = max(self.most, self.answered)
        return Reply(200)

    def _begin_iteration(self) -> None:
        self.answered = 0


async def test_pipelined_requests_are_answered_in_order_and_in_many_turns() -> None:
    made: list[Counting] = []

    def new_connection() -> Counting:
        made.append(Counting())
        return made[-1]

    server = await asyncio.get_running_loop().create_server(new_connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % number for number in range(REQUESTS)))
    answered: list[int] = []
    async with asyncio.timeout(20):
        while len(answered) < REQUESTS:
            answer = await reader.readuntil(b"\r\n\r\n")
            answered.append(int(answer.partition(b"CSeq: ")[2].partition(b"\r")[0]))
    assert answered == list(range(REQUESTS))
    assert made[0].most <= AT_ONCE
    writer.transport.abort()
    server.close()
