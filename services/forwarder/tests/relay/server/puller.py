"""A centre's puller that does exactly what a test wants, on a plain socket: nothing of the product is in it."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Self

from vonggac.net.http_auth import Authenticator, parse_challenges
from vonggac.net.url import Credentials

STATUS = re.compile(rb"RTSP/1\.0 (\d{3})")


class Puller:
    """Reads only while `reading` is set. `media_bytes`: what it has taken off its socket since PLAY was answered."""

    def __init__(self, port: int, path: str, login: Credentials | None, *, address: str = "127.0.0.1") -> None:
        self.path, self.port, self.address = path, port, address
        self.authenticator = Authenticator(login)
        self.media_bytes = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self.ended = False
        """The server has ended the connection, in order or by a reset, as the reading found."""
        self.last_bytes = b""
        self.headers: list[tuple[str, str]] = []
        self._sequence = 0
        self._session: str | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._pumping: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}{self.path}"

    @property
    def heard_goodbye(self) -> bool:
        """Whether an RTCP BYE of one source came last (RFC 3550 §6.6)."""
        return b"\x81\xcb\x00\x01" in self.last_bytes

    async def connect(self, *, receive_buffer: int | None = None) -> Self:
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.bind((self.address, 0))
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        self._reader, self._writer = await asyncio.open_connection(sock=sock, limit=4096)
        return self

    def send(self, method: str, uri: str | None = None, *fields: tuple[str, str]) -> None:
        self._sequence += 1
        target = uri or self.url
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {self._sequence}", "User-Agent: test puller"]
        if (answer := self.authenticator.answer(method, target)) is not None:
            lines.append(f"Authorization: {answer}")
        if self._session is not None:
            lines.append(f"Session: {self._session}")
        lines += [f"{name}: {value}" for name, value in fields]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())

    async def ask(self, method: str, uri: str | None = None, *fields: tuple[str, str]) -> int:
        """The status of the answer, after a login where one is wanted."""
        self.send(method, uri, *fields)
        status = await self._read_answer()
        values = [value for name, value in self.headers if name == "www-authenticate"]
        if status == 401 and self.authenticator.credentials is not None and self.authenticator.challenge is None:
            self.authenticator.challenge = parse_challenges(values)[0]
            return await self.ask(method, uri, *fields)
        return status

    async def play(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> int:
        """DESCRIBE, SETUP of the video, PLAY: the last status."""
        for method, uri, fields in (
            ("DESCRIBE", None, ()),
            ("SETUP", f"{self.url}/trackID=0", (("Transport", transport),)),
            ("PLAY", None, ()),
        ):
            status = await self.ask(method, uri, *fields)
            if status != 200:
                return status
            if method == "SETUP":
                self._session = next(value for name, value in self.headers if name == "session").partition(";")[0]
        self._pumping = asyncio.create_task(self._pump())
        return 200

    async def close(self, *, reset: bool = False) -> None:
        if self._pumping is not None:
            self._pumping.cancel()
        if not hasattr(self, "_writer"):
            return
        if reset:
            self._writer.transport.abort()
        else:
            self._writer.close()
        await asyncio.sleep(0)

    @property
    def unread_bytes(self) -> int:
        """What lies in this side's kernel and in the reader."""
        return len(self._reader._buffer)  # type: ignore[attr-defined]

    async def wait_closed(self, within_s: float = 10.0) -> bool:
        """Whether the server ended the connection."""
        try:
            async with asyncio.timeout(within_s):
                while await self._reader.read(65536):
                    pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    async def _read_answer(self) -> int:
        async with asyncio.timeout(10):
            head = await self._reader.readuntil(b"\r\n\r\n")
            found = STATUS.search(head)
            assert found is not None, head
            lines = head.decode().split("\r\n")[1:]
            pairs = (line.partition(":") for line in lines if line)
            self.headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
            size = next((int(value) for name, value in self.headers if name == "content-length"), 0)
            self.body = await self._reader.readexactly(size)
        return int(found[1])

    async def _pump(self) -> None:
        while True:
            await self.reading.wait()
            try:
                data = await self._reader.read(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.ended = True
                return
            self.media_bytes += len(data)
            self.last_bytes = (self.last_bytes + data)[-64:]
