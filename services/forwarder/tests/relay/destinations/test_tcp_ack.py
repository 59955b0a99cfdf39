"""What is called confirmed is certainly there: counted in our own bytes, also under TLS."""

import array
import asyncio
import ctypes
import fcntl
import socket
import ssl
import struct
import termios
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement, TcpInfo, WindowEnd, read_tcp_info
from vonggac.media.rtp import interleave
from vonggac.net.tls import TlsPolicy
from vonggac.rtsp import RtspConnection
from vonggac.testing import eventually
from vonggac.testing.certificates import ServerCertificate

CHUNK = bytes(10_000)
CHUNKS = 600
SLEPT_S = 0.3
TICK_S = 0.02
"""Of the kernel's clock, in which it counts how old an acknowledgement is."""

type Loop = Callable[[], asyncio.AbstractEventLoop]


class Peer:
    """Accepts one connection under TLS and reads as much as a test wants, no more."""

    def __init__(self) -> None:
        self.certificate = ServerCertificate.self_signed()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self.certificate.server_context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.received = 0

    async def shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.sock_accept(self._listener)
        self._listener.close()
        self._socket.setblocking(False)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await loop.sock_sendall(self._socket, self._outgoing.read())
                self._incoming.write(await loop.sock_recv(self._socket, 65_536))
            else:
                self._tls.write(b"!")
                await loop.sock_sendall(self._socket, self._outgoing.read())
                return

    @property
    def waiting(self) -> int:
        """Encrypted bytes that lie in the kernel here."""
        size = array.array("i", [0])
        fcntl.ioctl(self._socket, termios.FIONREAD, size)
        return size[0]

    def plaintext_waiting(self) -> int:
        """Plaintext in what lies in the kernel, which keeps it: nothing more is let in. Only once, and last."""
        return self._decrypt(self._socket.recv(self.waiting, socket.MSG_PEEK))

    def read_on(self) -> None:
        """Read everything from now on."""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        self.received += self._decrypt(self._socket.recv(1 << 20))

    def _decrypt(self, data: bytes) -> int:
        self._incoming.write(data)
        size = 0
        try:
            while True:
                size += len(self._tls.read(65_536))
        except ssl.SSLWantReadError:
            return size


class Answered(asyncio.Protocol):
    """Knows when the peer has spoken: by then it has confirmed the whole handshake."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.answered.set()


async def connected(peer: Peer) -> asyncio.Transport:
    policy = TlsPolicy(fingerprint_sha256=peer.certificate.fingerprint_sha256)
    shaking = asyncio.create_task(peer.shake_hands())
    transport, protocol = await asyncio.get_running_loop().create_connection(
        Answered, "127.0.0.1", peer.port, ssl=policy.context, server_hostname="centre"
    )
    await shaking
    await protocol.answered.wait()
    return transport


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_under_tls_no_byte_is_called_confirmed_that_the_peer_does_not_have(loop: Loop) -> None:
    async def run() -> None:
        peer = Peer()
        transport = await connected(peer)
        acknowledgement = TcpAcknowledgement(transport)
        for _ in range(CHUNKS):
            transport.write(CHUNK)
        written = CHUNKS * len(CHUNK)
        calm: list[int] = []

        def is_calm() -> bool:
            calm.append(peer.waiting)
            return len(calm) > 20 and len(set(calm[-20:])) == 1

        await eventually(is_calm)
        confirmed = acknowledgement.acknowledged(written, buffered=transport.get_write_buffer_size(), others=0)
        there = peer.plaintext_waiting()
        assert 0 < confirmed <= there < written
        # The last record may be there in part, and the records' own bytes are counted against us.
        assert there - confirmed < 64_000
        peer.close()
        transport.abort()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_under_tls_everything_is_confirmed_in_the_end(loop: Loop) -> None:
    async def run() -> None:
        peer = Peer()
        transport = await connected(peer)
        acknowledgement = TcpAcknowledgement(transport)
        for _ in range(CHUNKS):
            transport.write(CHUNK)
        written = CHUNKS * len(CHUNK)
        peer.read_on()

        def confirmed() -> int:
            return acknowledgement.acknowledged(written, buffered=transport.get_write_buffer_size(), others=5_000)

        await eventually(lambda: confirmed() == written)
        assert peer.received == written
        peer.close()
        transport.abort()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


async def test_bytes_beside_the_media_are_counted_to_the_byte() -> None:
    # Counted too high, what is confirmed would fall behind for ever on a line that always has something on its way.
    received = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while data := await reader.read(65_536):
            received += len(data)
            if b"CSeq: 1\r\n" in data:
                writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nOPTIONS rtsp://x RTSP/1.0\r\nCSeq: 9\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await RtspConnection.open("127.0.0.1", port, timeout_s=5)
        await connection.request("GET_PARAMETER", "rtsp://x", timeout_s=5)
        media = interleave(0, bytes(1_400))
        connection.write_media(media)
        connection.requests.post("TEARDOWN", "rtsp://x")
        await eventually(lambda: received == connection.control_bytes_sent + len(media))
        assert connection.control_bytes_sent > 100
        connection.close()
        await connection.wait_closed()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_a_foreign_centre_that_hangs_acknowledges_unread_is_not_counted(loop: Loop) -> None:
    """Its kernel goes on for seconds, into a buffer that nobody reads."""

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(
            asyncio.Protocol, "127.0.0.1", listener.getsockname()[1]
        )
        peer, _ = await asyncio.get_running_loop().sock_accept(listener)
        with listener, peer:
            acknowledgement, written = TcpAcknowledgement(transport), 0
            sock = transport.get_extra_info("socket")

            async def send(size: int) -> int:
                nonlocal written
                transport.write(bytes(size))
                written += size
                await eventually(lambda: _all_acknowledged(sock))
                return acknowledgement.acknowledged(written, buffered=0, others=0)

            for _ in range(10):
                sure = await send(20_000)
                assert sure == written
                await asyncio.get_running_loop().sock_recv(peer, 1 << 20)
            counted = await send(40_000)
            assert await send(40_000) == counted < written
            # It reads on.
            await asyncio.get_running_loop().sock_recv(peer, 1 << 20)
            assert await send(40_000) == written
            transport.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


@asynccontextmanager
async def plainly_connected() -> AsyncIterator[tuple[asyncio.Transport, socket.socket]]:
    """A transport, and the socket of its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", listener.getsockname()[1])
        peer, _ = await loop.sock_accept(listener)
    try:
        with peer:
            yield transport, peer
    finally:
        transport.abort()


def lose_all(peer: socket.socket) -> None:
    """From now on nothing that is sent to it arrives: its filter lets no packet in (BPF: return 0)."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    so_attach_filter = 26
    peer.setsockopt(socket.SOL_SOCKET, so_attach_filter, struct.pack("HL", 1, ctypes.addressof(nothing)))


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_a_reset_lost_on_its_way_is_not_counted_before_the_loop_knows_of_it(loop: Loop) -> None:
    """A kernel forgets it, so that nothing seems to be on its way."""

    async def run() -> None:
        async with plainly_connected() as (transport, peer):
            acknowledgement, sock = TcpAcknowledgement(transport), transport.get_extra_info("socket")
            transport.write(CHUNK)
            await eventually(lambda: acknowledgement.acknowledged(len(CHUNK), buffered=0, others=0) == len(CHUNK))
            lose_all(peer)
            transport.write(CHUNK)
            reset(peer)
            while not getattr(read_tcp_info(sock), "closed", True):
                time.sleep(0.01)  # noqa: ASYNC251 - the loop must not learn of it
            assert acknowledgement.acknowledged(2 * len(CHUNK), buffered=0, others=0) == len(CHUNK)
            assert acknowledgement.acknowledged_at_end(2 * len(CHUNK), others=0) == len(CHUNK)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_written_to_a_connection_that_ends_is_not_counted(loop: Loop) -> None:
    """Its transport drops it, and reports the loss to the protocol later."""

    async def run() -> None:
        async with plainly_connected() as (transport, _):
            acknowledgement = TcpAcknowledgement(transport)
            transport.write(CHUNK)
            await eventually(lambda: acknowledgement.acknowledged(len(CHUNK), buffered=0, others=0) == len(CHUNK))
            transport.abort()
            transport.write(CHUNK)
            assert acknowledgement.acknowledged(2 * len(CHUNK), buffered=0, others=0) == len(CHUNK)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_process_that_slept_knows_until_when_its_bytes_were_acknowledged(loop: Loop) -> None:
    async def run() -> None:
        async with plainly_connected() as (transport, _):
            acknowledgement, sock = TcpAcknowledgement(transport), transport.get_extra_info("socket")
            gone = TcpInfo(0, 0, 0, ack_age_s=SLEPT_S)
            written_s = time.monotonic()
            transport.write(CHUNK)
            await eventually(lambda: _all_acknowledged(sock))
            acknowledged_s = time.monotonic()
            while (read_tcp_info(sock) or gone).ack_age_s < SLEPT_S:
                time.sleep(0.01)  # noqa: ASYNC251 - the loop must not run
            read_s = time.monotonic()
            assert acknowledgement.acknowledged(len(CHUNK), buffered=0, others=0) == len(CHUNK)
            age_s = acknowledgement.ack_age_s
            assert max(SLEPT_S, read_s - acknowledged_s - TICK_S) <= age_s <= time.monotonic() - written_s + TICK_S

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


class Hanging:
    """A centre's kernel and process: 50 kB a second, of which the process reads everything until it hangs."""

    def __init__(self, hangs_s: float, *, window_bytes: int = 1 << 20) -> None:
        self._hangs_s, self._window = hangs_s, window_bytes

    def info(self, now_s: float) -> TcpInfo:
        acked, read = int(now_s * 50_000), int(min(now_s, self._hangs_s) * 50_000)
        return TcpInfo(acked, 1, 0, read + self._window - acked)


@pytest.mark.parametrize("hangs_s", [10.0 + number / 20 for number in range(20)])
def test_a_foreign_centre_that_hangs_is_dated_to_when_it_read_last(hangs_s: float) -> None:
    centre, window_end = Hanging(hangs_s), WindowEnd()
    for second in range(100, 100 + 10):
        assert not window_end.stands(centre.info(second - 100), float(second))
        assert window_end.unread_for_s(float(second)) == 0.0
    for tenth in range(10 * 110, 10 * 110 + 60):
        now_s = tenth / 10
        if tenth % 10 == 0 or now_s > 112:
            stands = window_end.stands(centre.info(now_s - 100), now_s)
    assert stands
    assert abs(now_s - window_end.unread_for_s(now_s) - (100 + hangs_s)) <= 0.05


def test_a_centre_that_had_nothing_to_read_for_a_while_did_not_hang_then() -> None:
    window_end = WindowEnd()
    window_end.stands(TcpInfo(1_000_000, 0, 0, 100_000), 10.0)
    for second in range(20, 23):
        window_end.stands(TcpInfo(1_000_000 + 40_000 * (second - 19), 1, 0, 0), float(second))
    assert 2.0 <= window_end.unread_for_s(22.0) <= 3.0


def test_a_window_that_stands_for_a_moment_dates_nothing_back() -> None:
    window_end = WindowEnd()
    window_end.stands(TcpInfo(1_000_000, 1, 0, 100_000), 10.0)
    assert window_end.stands(TcpInfo(1_050_000, 1, 0, 50_000), 11.0)
    assert window_end.unread_for_s(11.0) == 0.0
    assert not window_end.stands(TcpInfo(1_100_000, 1, 0, 100_000), 12.0)
    assert window_end.unread_for_s(12.0) == 0.0


def _all_acknowledged(sock: socket.socket) -> bool:
    info = read_tcp_info(sock)
    return info is not None and info.all_acknowledged
