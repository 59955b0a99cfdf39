"""The question whether a server has read what was sent, and the two messages that answer it."""

import asyncio
import struct

from forwarder.relay.rtmp import chunks
from forwarder.relay.rtmp.chunks import Message
from forwarder.relay.rtmp.connection import RtmpConnection

_PING, _PONG = 6, 7
_AHEAD_BYTES = 64 << 20
"""More is not sent while a question waits."""


class ReadQuestions:
    """Asked of one connection, one at a time."""

    def __init__(self, connection: RtmpConnection) -> None:
        self._connection, self._number, self._sent_bytes = connection, 0, 0
        self._answer: asyncio.Future[bool] | None = None
        connection.on_control = self._take_message

    async def ask_server(self, *, sent_bytes: int, timeout_s: float) -> bool | None:
        """Whether it has read the `sent_bytes` sent until now, asked by a PingRequest (§7.1.7).

        True when it answers that; False when it acknowledges so many bytes (§5.4.3); None when it does neither in time.
        """
        self._number, self._sent_bytes = self._number + 1, sent_bytes
        self._answer = asyncio.get_running_loop().create_future()
        self._connection.send_control(chunks.USER_CONTROL, struct.pack(">HI", _PING, self._number))
        try:
            async with asyncio.timeout(timeout_s):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = None

    def _take_message(self, message: Message) -> None:
        """Take the answer to the question: a server reads and answers in order."""
        if self._answer is None or self._answer.done():
            return
        if message.kind == chunks.USER_CONTROL and message.payload[:6] == struct.pack(">HI", _PONG, self._number):
            self._answer.set_result(True)
        elif message.kind == chunks.ACKNOWLEDGEMENT and len(message.payload) >= 4:
            # It has 32 bits, and some begin anew sooner: what is far ahead is no proof, as what lies behind.
            ahead = (int.from_bytes(message.payload[:4]) - self._sent_bytes) & 0xFFFFFFFF
            if ahead < _AHEAD_BYTES:
                self._answer.set_result(False)
