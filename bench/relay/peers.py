"""What `forward.py` is held against: ffmpeg's tee, nginx-rtmp's push and a PyAV remux, one source to two each.

Every peer gets the cameras' own streams and is measured in the steady state: CPU of its processes alone, nothing is
encoded again. None where it is not installed.
"""

import multiprocessing
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import psutil

from vonggac.embedded import free_port

WARM_UP_S = 10.0
RTMP_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
FFMPEG = ["ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp"]

NGINX = """
{module}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        {applications}
    }}
}}
"""


@dataclass(frozen=True)
class Cost:
    """CPU per stream-second, of starting a stream (None: lost in the noise), and unshared memory per stream."""

    ms: float
    start_ms: float | None
    mb: float
    streams: int


def ffmpeg_tee(urls: Sequence[str], ports: Sequence[int], seconds: float) -> Cost | None:
    """`ffmpeg -c copy -f tee`, a process a stream, to the RTSP destinations at `ports`."""
    if shutil.which("ffmpeg") is None:
        return None
    with ExitStack() as stack:
        processes = []
        for number, url in enumerate(urls):
            targets = "|".join(f"[f=rtsp:rtsp_transport=tcp]rtsp://127.0.0.1:{port}/tee-{number}" for port in ports)
            command = [*FFMPEG, "-i", url, "-c", "copy", "-map", "0:v", "-f", "tee", targets]
            processes.append(stack.enter_context(_running(command)))
        return _measure(processes, len(urls), seconds)


def nginx_push(urls: Sequence[str], seconds: float) -> Cost | None:
    """nginx-rtmp with two `push`. ffmpeg feeds it from RTSP; neither that nor the receivers are counted."""
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if binary is None or shutil.which("ffmpeg") is None or not RTMP_MODULE.exists():
        return None
    receiving, relaying = free_port(), free_port()
    accepts = "application {name} {{ live on; }}"
    pushes = " ".join(f"push rtmp://127.0.0.1:{receiving}/{name};" for name in ("first", "second"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        receivers = " ".join(accepts.format(name=name) for name in ("first", "second"))
        stack.enter_context(_nginx(binary, folder / "receiver", receiving, receivers))
        nginx = stack.enter_context(
            _nginx(binary, folder / "relay", relaying, f"application live {{ live on; {pushes} }}")
        )
        time.sleep(1.0)
        for number, url in enumerate(urls):
            target = f"rtmp://127.0.0.1:{relaying}/live/{number}"
            stack.enter_context(_running([*FFMPEG, "-i", url, "-c", "copy", "-map", "0:v", "-f", "flv", target]))
        return _measure([nginx], len(urls), seconds)


def pyav_remux(urls: Sequence[str], ports: Sequence[int], seconds: float, scheme: str = "rtsp") -> Cost:
    """Demux and mux twice with PyAV to RTSP or RTMP, a thread a stream in one process: the floor of a remux engine."""
    process = multiprocessing.get_context("spawn").Process(target=_remux_all, args=(urls, ports, scheme), daemon=True)
    process.start()
    try:
        assert process.pid is not None
        return _measure([psutil.Process(process.pid)], len(urls), seconds)
    finally:
        process.kill()
        process.join()


def _measure(processes: Sequence[psutil.Process], streams: int, seconds: float) -> Cost:
    started, before = time.monotonic(), _cpu_s(processes)
    time.sleep(WARM_UP_S)
    began, warm = time.monotonic(), _cpu_s(processes)
    time.sleep(seconds)
    used, took = _cpu_s(processes) - warm, time.monotonic() - began
    start_s = warm - before - used / took * (began - started)
    memory = sum(one.memory_full_info().uss for process in processes for one in _family(process))
    return Cost(
        round(1000 * used / took / streams, 3),
        round(1000 * start_s / streams, 1) if start_s > 0 else None,
        round(memory / 1e6 / streams, 2),
        streams,
    )


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    """CPU of the processes and their children. Raises SystemExit when one of them ended: nothing is measured then."""
    try:
        times = [one.cpu_times() for process in processes for one in _family(process)]
        if any(process.status() == psutil.STATUS_ZOMBIE for process in processes):
            raise SystemExit("a peer ended while it was measured")
    except psutil.NoSuchProcess:
        raise SystemExit("a peer ended while it was measured") from None
    return sum(used.user + used.system for used in times)


@contextmanager
def _running(command: list[str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()  # ffmpeg waits for answers to TEARDOWN that the destination of the bench does not give
            process.wait()


@contextmanager
def _nginx(binary: str, folder: Path, port: int, applications: str) -> Iterator[psutil.Process]:
    folder.mkdir()
    module = f"load_module {RTMP_MODULE};"
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(module=module, folder=folder, port=port, applications=applications), "ascii")
    with _running([binary, "-p", str(folder), "-e", "stderr", "-c", str(config)]) as process:
        yield process


def _remux_all(urls: Sequence[str], ports: Sequence[int], scheme: str) -> None:
    threads = [threading.Thread(target=_remux, args=(url, number, ports, scheme)) for number, url in enumerate(urls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _remux(url: str, number: int, ports: Sequence[int], scheme: str) -> None:
    tcp = {"rtsp_transport": "tcp"}
    container, options = ("rtsp", tcp) if scheme == "rtsp" else ("flv", {})
    with ExitStack() as stack:
        source = stack.enter_context(av.open(url, options=tcp))
        video = source.streams.video[0]
        outputs = []
        for port in ports:
            target = f"{scheme}://127.0.0.1:{port}/live/remux-{number}"
            output = stack.enter_context(av.open(target, "w", format=container, options=options))
            outputs.append((output, output.add_stream_from_template(video)))
        for packet in source.demux(video):
            if packet.dts is None:
                continue
            moment = packet.pts, packet.dts, packet.time_base
            for output, stream in outputs:
                # Muxing counts the times of a packet in the output's unit.
                packet.pts, packet.dts, packet.time_base = moment
                packet.stream = stream
                output.mux(packet)
