"""How much of what was written to a destination its kernel has confirmed: never more than is certain."""

import asyncio

from forwarder.relay.destinations.tcp_info import SocketOptions, TcpInfo, read_tcp_info
from vonggac.net.tls_counting import CountingSSLObject


class Confirmation:
    """Of one connection, plain or under TLS, from the moment on in which it is made.

    By then the peer must have answered everything: so what is confirmed at that moment is all that was sent before.
    """

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._socket: SocketOptions = transport.get_extra_info("socket")
        made = transport.get_extra_info("ssl_object")
        self._tls = made if isinstance(made, CountingSSLObject) else None
        info = read_tcp_info(self._socket)
        self._acked = info.bytes_acked if info else 0
        self._plain, self._cipher = (self._tls.plaintext, self._tls.ciphertext) if self._tls else (0, 0)
        self._confirmed = 0

    def confirmed(self, written: int, *, buffered: int, others: int) -> int:
        """Of `written` media bytes, those that are certainly confirmed by now; it never falls.

        `buffered`: bytes that the transport has not given to the kernel (under TLS: not encrypted) yet;
        `others`: bytes written between the media since then that are none (keep-alives). Their number must not be above
        the true one by more than a constant: what is confirmed would lag behind by it for as long as there is always
        something on its way.
        """
        info = read_tcp_info(self._socket)
        if info is not None:
            done, everything = self._under_tls(self._tls, info) if self._tls else self._plainly(info)
            # Only while something is on its way may bytes that are no media be among the confirmed ones.
            sure = written if everything and buffered == 0 else done - others
            self._confirmed = max(self._confirmed, min(written, sure))
        return self._confirmed

    def _plainly(self, info: TcpInfo) -> tuple[int, bool]:
        """Bytes confirmed, and whether that is all the kernel was given."""
        return info.bytes_acked - self._acked, info.all_confirmed

    def _under_tls(self, tls: CountingSSLObject, info: TcpInfo) -> tuple[int, bool]:
        """As `_plainly`. Encrypted bytes may also wait outside the kernel, so only their number proves anything."""
        encrypted, given = tls.ciphertext - self._cipher, tls.plaintext - self._plain
        acked = info.bytes_acked - self._acked
        return acked - (encrypted - given), acked >= encrypted
