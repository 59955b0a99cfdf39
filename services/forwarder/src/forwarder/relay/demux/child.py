"""A process that unpacks streams, so that a crash in the native library harms no more than these.

`python -m forwarder.relay.demux.child FD LIMITS`: FD is a socket over which the parent hands in streams, each a request
in JSON with the descriptor of a socket of its own; the request's number goes back when its stream is done with. One
thread per stream. The process ends when the parent does, or shuts FD. It takes a bounded amount of memory: a few bytes
of a container can ask the native library for gigabytes, which then fails instead.
"""

import contextlib
import json
import os
import socket
import sys
import threading
from typing import Any

import av

from forwarder.relay.demux.demuxer import unpack
from forwarder.relay.demux.request import RemuxRequest
from vonggac.children.limits import Limits
from vonggac.children.sandbox import confine

_MAX_REQUEST_BYTES = 4096
_NUMBER_BYTES = 8


def main() -> None:
    """Serve until the parent goes."""
    Limits.parse(sys.argv[2]).apply()
    av.logging.set_level(None)
    confine("av")
    requests = socket.socket(fileno=int(sys.argv[1]))
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST_BYTES, 1)
        if not data:
            break
        end = socket.socket(fileno=descriptors[0])
        threading.Thread(target=_serve, args=(requests, json.loads(data), end), daemon=True).start()
    # Threads may be in the native library: there is nothing to wait for.
    os._exit(0)


def _serve(requests: socket.socket, request: dict[str, Any], end: socket.socket) -> None:
    number = request.pop("number")
    try:
        unpack(RemuxRequest(**request), end)
    finally:
        with contextlib.suppress(OSError):
            requests.send(number.to_bytes(_NUMBER_BYTES))


if __name__ == "__main__":
    main()
