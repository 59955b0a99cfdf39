"""The limit that `bench/relay/relay.py` is held against: a bare epoll loop in C, one recv and two sends a wake-up.

The handshakes are done by Python; then the C loop gets the sockets. It keeps nothing alive, drops nothing and proves
nothing: no relay can cost less on this machine in this minute.
"""

import ctypes
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

SOURCE = r"""
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Returns CPU seconds used by this thread in `last_s` seconds, or a negative number. */
double relay(const int *sources, const int *first, const int *second, int count, double last_s) {
    static char buffer[1 << 18];
    struct epoll_event events[256];
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, sources[i], &event)) return -1;
    }
    double end = seconds(CLOCK_MONOTONIC) + last_s, used = seconds(CLOCK_THREAD_CPUTIME_ID);
    while (seconds(CLOCK_MONOTONIC) < end) {
        int ready = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            int n = events[i].data.u32;
            ssize_t size = recv(sources[n], buffer, sizeof buffer, MSG_DONTWAIT);
            if (size <= 0) return -2;
            send(first[n], buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
            send(second[n], buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
    close(poll);
    return seconds(CLOCK_THREAD_CPUTIME_ID) - used;
}
"""


def ms_per_stream_second(urls: Sequence[str], destinations: Sequence[int], seconds: float) -> float | None:
    """CPU of the C loop for the cameras at `urls` and two destination ports; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    sources = [_play(url) for url in urls]
    sinks = [[_record(port) for _ in urls] for port in destinations]
    try:
        with tempfile.TemporaryDirectory() as folder:
            used = _loop(compiler, Path(folder))(
                _numbers(sources), _numbers(sinks[0]), _numbers(sinks[1]), len(urls), ctypes.c_double(seconds)
            )
    finally:
        for opened in [*sources, *sinks[0], *sinks[1]]:
            opened.close()
    if used < 0:
        raise SystemExit(f"the C loop failed ({used:.0f})")
    return float(1000 * used / seconds / len(urls))


def _loop(compiler: str, folder: Path) -> "ctypes._NamedFuncPointer":
    source, library = folder / "relay.c", folder / "relay.so"
    source.write_text(SOURCE, "ascii")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    relay = ctypes.CDLL(str(library)).relay
    relay.restype = ctypes.c_double
    return relay


def _numbers(sockets: Sequence[socket.socket]) -> "ctypes.Array[ctypes.c_int]":
    return (ctypes.c_int * len(sockets))(*(opened.fileno() for opened in sockets))


def _send_request(connection: socket.socket, method: str, url: str, *headers: str) -> str:
    lines = [f"{method} {url} RTSP/1.0", "CSeq: 1", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        if not (byte := connection.recv(1)):
            raise SystemExit(f"{method}: the peer closed the connection")
        answer += byte
    text = answer.decode()
    if " 200 " not in text.splitlines()[0]:
        raise SystemExit(f"{method} was answered: {text.splitlines()[0]}")
    length = next((line for line in text.splitlines() if line.lower().startswith("content-length")), ":0")
    left = int(length.partition(":")[2])
    while left:
        left -= len(connection.recv(left))
    return next((line for line in text.splitlines() if line.lower().startswith("session:")), "Session: none").partition(
        ";"
    )[0]


def _play(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 554))
    _send_request(connection, "DESCRIBE", url, "Accept: application/sdp")
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    session = _send_request(connection, "SETUP", f"{url}/trackID=1", transport)
    _send_request(connection, "PLAY", url, session)
    return connection


def _record(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    _send_request(connection, "RECORD", "rtsp://127.0.0.1/")
    return connection
