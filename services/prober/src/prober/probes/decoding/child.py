"""A process that decodes: `python -m prober.probes.decoding.child FD LIMITS`, one keyframe after the other.

A keyframe that crashes libavcodec, or asks it for more memory or time than it may have, costs this process and the one
probe that waits for it. It has no secret, no file and no connection but FD, and ends when the prober does.
"""

import ctypes
import gc
import socket
import sys

import av

from prober.probes.decoding.keyframe import IdleContexts, decode_keyframe
from prober.probes.decoding.messages import LENGTHS, READY, Request, encode_answer
from prober.probes.decoding.picture import Picture, Undecodable
from vonggac.children.limits import Limits
from vonggac.children.sandbox import confine
from vonggac.events import Cause

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 * 1024 * 1024


def main() -> None:
    """Decode until the prober goes."""
    limits = Limits.parse(sys.argv[2])
    limits.apply()
    av.logging.set_level(None)
    _keep_freed_memory()
    prober, contexts = socket.socket(fileno=int(sys.argv[1])), IdleContexts()
    # What was loaded stays: no collection of garbage walks over it again.
    gc.freeze()
    confine("av")
    prober.sendall(READY)
    while lengths := _receive(prober, LENGTHS.size):
        described, data = (_receive(prober, size) for size in LENGTHS.unpack(lengths))
        limits.allow_time()
        request = Request.decode(described, data)
        answer = encode_answer(_decode(request, contexts), request.history)
        prober.sendall(b"".join(answer))


def _decode(request: Request, contexts: IdleContexts) -> Picture | Undecodable:
    try:
        return decode_keyframe(
            request.codec, request.nals, request.taken_at, request.history, contexts, jpeg_width=request.jpeg_width
        )
    except MemoryError:
        return Undecodable("the picture asks for more memory than a decoder may take", cause=Cause.PICTURE_TOO_LARGE)


def _receive(prober: socket.socket, size: int) -> bytes:
    """So many bytes; nothing when the prober is gone."""
    data = prober.recv(size, socket.MSG_WAITALL)
    while data and len(data) < size:
        more = prober.recv(size - len(data), socket.MSG_WAITALL)
        if not more:
            return b""
        data += more
    return data


def _keep_freed_memory() -> None:
    """Let the allocator keep a picture's memory for the next picture.

    By default glibc gives 3 MB of a 1080p picture back to the kernel each time and faults them in again page by page:
    1.8 ms of CPU a picture, measured. Other C libraries have no such switch and keep their ways.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


if __name__ == "__main__":
    main()
