"""What the kernel knows of a TCP connection: `struct tcp_info` of Linux (include/uapi/linux/tcp.h).

The layout only ever grows at its end, so fixed offsets are safe: 8 bytes of flags, 24 words of 32 bits (offsets 8 to
103; `tcpi_unacked` is at 24), `tcpi_pacing_rate` and `tcpi_max_pacing_rate` (104, 112), then `tcpi_bytes_acked` (64
bits at 120, RFC 4898 tcpEStatsAppHCThruOctetsAcked, since Linux 4.1), and `tcpi_notsent_bytes` (32 bits at 144, since
Linux 4.6).
"""

import socket
import struct
from typing import NamedTuple, Protocol

_SIZE = 148
_UNACKED = struct.Struct("=I")
_ACKED = struct.Struct("=Q")
_UNACKED_AT, _ACKED_AT, _NOTSENT_AT = 24, 120, 144


class TcpInfo(NamedTuple):
    """`bytes_acked` counts all bytes the peer's kernel confirmed since the connection began, its SYN included."""

    bytes_acked: int
    segments_unacked: int
    bytes_not_sent: int

    @property
    def all_confirmed(self) -> bool:
        """Nothing that the kernel took is still on its way."""
        return self.segments_unacked == 0 and self.bytes_not_sent == 0


class SocketOptions(Protocol):
    """The part of a socket that is needed; also what uvloop gives for a transport's socket."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


def read_tcp_info(sock: SocketOptions) -> TcpInfo | None:
    """None when the socket is gone, or the kernel is too old to tell."""
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    except OSError:
        return None
    if len(raw) < _SIZE:
        return None
    return TcpInfo(
        _ACKED.unpack_from(raw, _ACKED_AT)[0],
        _UNACKED.unpack_from(raw, _UNACKED_AT)[0],
        _UNACKED.unpack_from(raw, _NOTSENT_AT)[0],
    )
