"""What repacking costs: RTSP cameras to two RTMP destinations each, beside PyAV: `python -m bench.relay.remux --help`.

Ours is the whole product (see `relay.py`), the peer a bare `av.open` and `mux` in a thread per stream of one
process. Same cameras (1080p25 at 2 Mbit/s, simulated), same machine, one after the other, in the steady state. The
destinations take every publisher and throw its media away; they are not counted.

Prints a table and, last, one JSON line. `ratio_pyav`: the peer's cost over ours.
"""

import argparse
import asyncio
import json
import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import uvloop

from bench.relay.peers import pyav_remux
from bench.relay.relay import DESTINATIONS, SETTLE_S, Rig, measure, planned, publish, rig, wait_acknowledged
from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from vonggac.embedded import free_port
from vonggac.events.inventory import CameraV1

HELLO_BYTES = 1537


class RtmpSink(asyncio.Protocol):
    """Answers the handshake and the commands of a publisher, and throws away what comes after them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._hello = bytearray()
        self._reader: ChunkReader | None = ChunkReader()

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            return
        if len(self._hello) < 2 * HELLO_BYTES - 1:
            self._hello += data
            if len(self._hello) < HELLO_BYTES:
                return
            if len(self._hello) - len(data) < HELLO_BYTES:
                self._transport.write(b"\3" + bytes(HELLO_BYTES - 1) + self._hello[1:HELLO_BYTES])
            data = bytes(self._hello[2 * HELLO_BYTES - 1 :])
        for message in self._reader.feed(data):
            if message.kind == chunks.COMMAND:
                self._answer(*amf.decode(message.payload)[:2])

    def _answer(self, name: amf.AmfValue, transaction: amf.AmfValue) -> None:
        if name == "connect":
            # libav takes the server's size for its own; with the initial 128 bytes it costs four times as much.
            size = Message(chunks.SET_CHUNK_SIZE, 0, 0, chunks.OUR_CHUNK_BYTES.to_bytes(4))
            self._transport.write(write_message(size, chunk_stream=2, chunk_bytes=chunks.FIRST_CHUNK_BYTES))
            self._send_command("_result", transaction, {}, {"level": "status", "code": "NetConnection.Connect.Success"})
        elif name == "createStream":
            self._send_command("_result", transaction, None, 1.0)
        elif name == "publish":
            self._send_command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start"})
            self._reader = None

    def _send_command(self, *values: amf.AmfValue) -> None:
        message = Message(chunks.COMMAND, 0, 0, amf.encode(*values))
        self._transport.write(write_message(message, chunk_stream=3, chunk_bytes=chunks.OUR_CHUNK_BYTES))


def run_rtmp_sinks(ports: list[int]) -> None:
    """The destinations' process."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for port in ports:
            await loop.create_server(RtmpSink, "127.0.0.1", port, backlog=1024)
        await asyncio.Event().wait()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(serve())


@contextmanager
def rtmp_sinks(ports: list[int]) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=run_rtmp_sinks, args=(ports,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def to_rtmp(url: str, ports: list[int], number: int) -> CameraV1:
    camera = planned(url, ports, number)
    deliveries = tuple(
        delivery.model_copy(update={"url": f"rtmp://127.0.0.1:{port}/live/{number}"})
        for delivery, port in zip(camera.deliveries, ports, strict=True)
    )
    return camera.model_copy(update={"deliveries": deliveries})


def ours(one: Rig, ports: list[int], seconds: float) -> dict[str, object]:
    process = psutil.Process(one.forwarder.pid)
    base_bytes = process.memory_info().rss
    asyncio.run(publish(one.nats_url, [to_rtmp(url, ports, number) for number, url in enumerate(one.urls)]))
    wait_acknowledged(one.api, len(one.urls) * DESTINATIONS)
    time.sleep(SETTLE_S)
    return measure(process, one.api, len(one.urls), seconds, base_bytes)


def compare(streams: int, seconds: float) -> dict[str, object]:
    """Our figures beside PyAV's, shown as a table."""
    ports = [free_port() for _ in range(DESTINATIONS)]
    with rtmp_sinks(ports), rig(streams) as one:
        mine = ours(one, ports, seconds)
        one.forwarder.terminate()
        one.forwarder.wait()
        peer = pyav_remux(one.urls, ports, seconds, "rtmp")
    cost = float(str(mine["ms_per_stream_second"]))
    print(f"{'RTSP to RTMP':14}{'streams':>8}{'ms/stream-s':>13}{'MB/stream':>11}")
    print(f"{'vong gac':14}{streams:>8}{cost:>13}{mine['mb_per_stream']!s:>11}")
    print(f"{'PyAV':14}{peer.streams:>8}{peer.ms:>13}{peer.mb:>11}")
    unusual = ("acknowledged", "groups_dropped", "mbit_s_per_delivery", "machine_busy_percent")
    print("  ".join(f"{name} {mine[name]}" for name in unusual), flush=True)
    shown = {"remux_ms": cost, "pyav_ms": peer.ms, "ratio_pyav": round(peer.ms / cost, 2), "streams": streams}
    return shown | {"mb_per_stream": mine["mb_per_stream"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    arguments = parser.parse_args()
    print(json.dumps(compare(arguments.streams, arguments.seconds)))


if __name__ == "__main__":
    main()
