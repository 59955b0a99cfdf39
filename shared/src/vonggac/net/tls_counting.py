"""Counts the bytes before and after TLS, so that the kernel's acknowledged bytes can be converted to ours.

The kernel counts records: headers, tags and padding included, which depend on cipher and version. So they are counted
where they are made.
"""

import ssl
from collections.abc import Buffer
from typing import cast


class CountingSSLObject(ssl.SSLObject):
    """Counts what was written: `plaintext` bytes became `ciphertext` bytes. The handshake is in neither."""

    plaintext = 0
    ciphertext = 0
    outgoing: ssl.MemoryBIO

    def write(self, data: Buffer) -> int:
        before = self.outgoing.pending
        size = super().write(data)
        self.plaintext += size
        self.ciphertext += self.outgoing.pending - before
        return size


class CountingContext(ssl.SSLContext):
    """A context whose connections over memory (asyncio's and uvloop's) count what they encrypt."""

    sslobject_class = CountingSSLObject

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> CountingSSLObject:
        made = cast("CountingSSLObject", super().wrap_bio(incoming, outgoing, server_side, server_hostname, session))
        made.outgoing = outgoing
        return made
