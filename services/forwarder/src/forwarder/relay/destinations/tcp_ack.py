"""How much of what was written to a destination its kernel has acknowledged: never more than is certain.

Read from `struct tcp_info` of Linux (include/uapi/linux/tcp.h). The layout only ever grows at its end, so fixed
offsets are safe: 8 bytes of flags (the first is `tcpi_state`), 24 words of 32 bits (offsets 8 to 103; `tcpi_unacked` is
at 24, `tcpi_last_ack_recv` at 56, `tcpi_rtt` in microseconds at 68), `tcpi_pacing_rate` and `tcpi_max_pacing_rate`
(104, 112), then `tcpi_bytes_acked` (64 bits at 120, RFC 4898 tcpEStatsAppHCThruOctetsAcked, since Linux 4.1),
`tcpi_notsent_bytes` (32 bits at 144, since Linux 4.6), and `tcpi_snd_wnd` (32 bits at 228, since Linux 5.4).

A kernel goes on to acknowledge for a process that hangs, until its receive buffer is full: seconds of a stream. But its
window's end moves on only as the process reads. What is acknowledged behind a standing end is not counted. Below about
300 kbit/s that says nothing: kernels let the end move on for tens of kilobytes that nobody has read.

A kernel that offers less than before, as after a burst, never takes back what it has offered: the end stands too, until
that is used up, and the process reads. Nothing in the window says which it is; only an answer of the process does
(`was_read`). Of a destination that answers no question nobody can know it until what was offered is used up: a process
that reads goes on then, one that hangs does not. Until then nothing is counted, and nobody is accused (`doubtful`).
"""

import asyncio
import socket
import struct
from typing import NamedTuple, Protocol

from forwarder.relay.destinations.hints import LineSigns
from vonggac.events.forwarder import HintReason
from vonggac.net.tls_counting import CountingSSLObject

_SIZE, _SIZE_WITH_WINDOW = 148, 232
_WORD = struct.Struct("=I")
_ACKED = struct.Struct("=Q")
_UNACKED_AT, _LAST_ACK_AT, _ROUND_TRIP_AT, _ACKED_AT, _NOTSENT_AT, _WINDOW_AT = 24, 56, 68, 120, 144, 228
_CLOSED = 7
"""TCP_CLOSE, also of a connection that the peer has reset."""
_UNREAD_BYTES = 32 << 10
"""Less than that acknowledged says nothing: windows move in steps."""
_REST_S = 2.0
"""After so long without anything on its way all counts that was acknowledged."""
_CERTAIN_AFTER_S = 2.0
"""A window's end that stands for a moment only is no sign."""
_INTERVAL_S = 1.0
"""Between two calls, at most."""
_UNREAD_SHARE = 2
"""A window's end that moved by less than half of what was acknowledged moved by rounding, or by reads of before."""
_USED_UP_AFTER_S = 2.0
"""Our kernel holds back what it has, nothing is on its way and nothing was acknowledged for so long: the window is
used up."""
SIGNS_EVERY_S = 0.9
_LOST_AFTER_S = 5.0
"""Nothing was acknowledged for so long, whatever is on its way."""


class TcpInfo(NamedTuple):
    """`bytes_acked` counts all bytes the peer's kernel acknowledged since the connection began, its SYN included."""

    bytes_acked: int
    segments_unacked: int
    bytes_not_sent: int
    window_bytes: int | None = None
    """What the peer's kernel takes beyond what it acknowledged; None where ours does not say."""
    closed: bool = False
    ack_age_s: float = 0.0
    """How long ago the peer's kernel acknowledged last, be it once more what it had acknowledged before."""
    round_trip_s: float = 0.0
    """Smoothed, as our kernel measures it."""

    @property
    def all_acknowledged(self) -> bool:
        """Nothing that the kernel took is still on its way. Of a closed connection it has forgotten what was."""
        return self.segments_unacked == 0 and self.bytes_not_sent == 0 and not self.closed


class SocketOptions(Protocol):
    """The part of a socket that is needed; also what uvloop gives for a transport's socket."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


def read_tcp_info(sock: SocketOptions) -> TcpInfo | None:
    """None when the socket is gone, or the kernel is too old."""
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE_WITH_WINDOW)
    except OSError:
        return None
    if len(raw) < _SIZE:
        return None
    return TcpInfo(
        _ACKED.unpack_from(raw, _ACKED_AT)[0],
        _WORD.unpack_from(raw, _UNACKED_AT)[0],
        _WORD.unpack_from(raw, _NOTSENT_AT)[0],
        _WORD.unpack_from(raw, _WINDOW_AT)[0] if len(raw) >= _SIZE_WITH_WINDOW else None,
        raw[0] == _CLOSED,
        _WORD.unpack_from(raw, _LAST_ACK_AT)[0] / 1000,
        _WORD.unpack_from(raw, _ROUND_TRIP_AT)[0] / 1_000_000,
    )


class Mark(NamedTuple):
    """Bytes acknowledged, and the end of the window, at a moment."""

    acked: int
    end: int
    at_s: float


class WindowEnd:
    """Whether the peer's process reads: by the end of the window that its kernel offers."""

    __slots__ = ("_acked", "_called_s", "_end", "_moved_s", "_newest", "_newest_s", "_stood_s", "_unread_s", "mark")

    def __init__(self) -> None:
        self._acked = self._end = self._newest = 0
        self._newest_s = self._called_s = self._moved_s = 0.0
        self._unread_s: float | None = None
        self._stood_s: float | None = None
        self.mark = Mark(0, 0, 0.0)
        """The last call."""

    def stands(self, info: TcpInfo, now_s: float) -> bool:
        """Whether the peer acknowledges and has read nothing since the end moved last; False where nobody can know."""
        interval_s, self._called_s = min(_INTERVAL_S, now_s - self._called_s), now_s
        if info.bytes_acked != self._newest:
            self._newest, self._newest_s = info.bytes_acked, now_s
        elif info.all_acknowledged and now_s - self._newest_s >= _REST_S:
            # Nothing more was sent: a window that is smaller than it was says nothing then.
            return False
        if info.window_bytes is None:
            return False
        acked, end = info.bytes_acked - self._acked, info.bytes_acked + info.window_bytes
        self.mark = Mark(info.bytes_acked, end, now_s)
        # The part of the time since the call before in which the peer read, when bytes come evenly.
        read = min(1.0, max(0.0, (end - self._end) / acked if acked else 1.0))
        read_until_s = now_s - interval_s * (1.0 - read)
        if (end - self._end) * _UNREAD_SHARE >= acked:
            self._acked, self._end = info.bytes_acked, max(end, self._end)
            self._moved_s, self._unread_s = read_until_s, read_until_s if read < 1.0 else None
            self._stood_s = None
            return False
        if self._unread_s is None:
            # Not from when the end moved: since then the peer may have had nothing to read.
            self._unread_s = max(self._moved_s, read_until_s)
        if acked < _UNREAD_BYTES:
            return False
        self._stood_s = now_s if self._stood_s is None else self._stood_s
        return True

    def unread_for_s(self, now_s: float) -> float:
        """How long the peer has read nothing; 0 until the end has stood for a while (`stands`)."""
        if self._unread_s is None or self._stood_s is None or now_s - self._stood_s < _CERTAIN_AFTER_S:
            return 0.0
        return now_s - self._unread_s

    def is_used_up(self, info: TcpInfo, now_s: float) -> bool:
        """Whether the peer's kernel takes no more."""
        held_back = info.segments_unacked == 0 and info.bytes_not_sent > 0
        return now_s - self._newest_s >= (_USED_UP_AFTER_S if held_back else _LOST_AFTER_S)

    def was_read(self, mark: Mark) -> None:
        """Note that the peer answered what was sent after `mark`: it has read what was before."""
        if self._unread_s is not None and self._stood_s is not None:
            self._acked, self._end = max(mark.acked, self._acked), max(mark.end, self._end)
            self._moved_s = self._unread_s = max(mark.at_s, self._unread_s)
            self._stood_s = None


class TcpAcknowledgement:
    """Of one connection, plain or under TLS, from the moment on in which it is made.

    By then the peer must have answered everything: so what is acknowledged at that moment is all that was sent before.
    """

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._socket: SocketOptions = transport.get_extra_info("socket")
        made = transport.get_extra_info("ssl_object")
        self._tls = made if isinstance(made, CountingSSLObject) else None
        info = read_tcp_info(self._socket)
        self._acked = info.bytes_acked if info else 0
        self._plain, self._cipher = (self._tls.plaintext, self._tls.ciphertext) if self._tls else (0, 0)
        self._sure = 0
        self.ack_age_s = 0.0
        """How long before the last reading the peer's kernel had acknowledged last: nothing came after that."""
        self._window_end, self._loop = WindowEnd(), asyncio.get_running_loop()
        self.unread_for_s = 0.0
        """How long the peer's process has read nothing of what its kernel acknowledges; 0 where nobody can know."""
        self.stands = False
        """Whether the window's end stands: what is acknowledged now is not counted, unless the peer answers."""
        self.doubtful = False
        """Whether it stands, and the peer's silence says nothing, for it answers no question."""
        self.taken = 0
        """As `acknowledged`, with what the peer's kernel took and its process may not have read."""
        self._answers = False
        self._signs = LineSigns()
        self._signs_s = 0.0
        self.sign: HintReason | None = None
        """What the last reading shows of the line that is unusual and new."""

    def acknowledged(self, written: int, *, buffered: int, others: int) -> int:
        """Of `written` media bytes, those that are certainly acknowledged by now; it never falls.

        It stands still, too, while the peer's process reads nothing of what its kernel acknowledges.

        `buffered`: bytes that the transport has not given to the kernel (under TLS: not encrypted) yet;
        `others`: bytes written between the media since then that are none (keep-alives). Their number must not be above
        the true one by more than a constant: what is acknowledged would lag behind by it for as long as there is always
        something on its way.
        """
        info, now_s = read_tcp_info(self._socket), self._loop.time()
        self.stands = info is not None and self._window_end.stands(info, now_s)
        self.unread_for_s, self.doubtful = 0.0, False
        if info is not None:
            self.ack_age_s = info.ack_age_s
            self.sign = self._read_sign(info, now_s)
            self.doubtful = self.stands and not self._answers and not self._window_end.is_used_up(info, now_s)
            if self.stands and not self.doubtful:
                self.unread_for_s = self._window_end.unread_for_s(now_s)
            done, everything = self._under_tls(self._tls, info) if self._tls else self._plainly(info)
            # Only while something is on its way may bytes that are no media be among the acknowledged ones. What is
            # written to a connection that ends, before its protocol knows, goes nowhere.
            everything = everything and buffered == 0 and not self._transport.is_closing()
            sure = written if everything else done - others
            self.taken = max(self.taken, min(written, sure))
            self._sure = self._sure if self.stands else max(self._sure, self.taken)
        return self._sure

    def acknowledged_at_end(self, written: int, *, others: int) -> int:
        """Count as `acknowledged` does, for a connection that has just ended, while its socket is still open.

        Only their number counts: a kernel forgets what was on its way when it is reset. Under TLS the socket is gone.
        """
        info = read_tcp_info(self._socket) if self._tls is None and not self.stands else None
        if info is not None:
            self.ack_age_s = info.ack_age_s
            self._sure = max(self._sure, min(written, info.bytes_acked - self._acked - others))
        return self._sure

    def mark(self) -> tuple[Mark, int]:
        """For `was_read`: all that was written by the last reading."""
        return self._window_end.mark, self.taken

    def was_read(self, marked: tuple[Mark, int], *, answered: bool) -> None:
        """Note that the peer's process read what was sent before `marked`. `answered`: it said so when it was asked."""
        mark, taken = marked
        self._answers |= answered
        self._sure = max(self._sure, taken)
        self._window_end.was_read(mark)

    def _read_sign(self, info: TcpInfo, now_s: float) -> HintReason | None:
        # A session is read more often at its beginning and while nothing is acknowledged.
        if now_s - self._signs_s < SIGNS_EVERY_S:
            return None
        self._signs_s = now_s
        return self._signs.sample(
            round_trip_s=info.round_trip_s,
            window_bytes=info.window_bytes,
            ack_age_s=info.ack_age_s,
            waiting=info.segments_unacked > 0 or info.bytes_not_sent > 0,
        )

    def _plainly(self, info: TcpInfo) -> tuple[int, bool]:
        """Bytes acknowledged, and whether that is all the kernel was given."""
        return info.bytes_acked - self._acked, info.all_acknowledged

    def _under_tls(self, tls: CountingSSLObject, info: TcpInfo) -> tuple[int, bool]:
        """As `_plainly`. Encrypted bytes may also wait outside the kernel, so only their number proves anything."""
        encrypted, given = tls.ciphertext - self._cipher, tls.plaintext - self._plain
        acked = info.bytes_acked - self._acked
        return acked - (encrypted - given), acked >= encrypted
