"""Certificates for tests and for the simulator: an authority, and good and bad certificates of servers.

Needs `vonggac[testing]` (trustme), which no service has.
"""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

import trustme

_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class ServerCertificate:
    """The certificate of a TLS server. `pem` is the certificate, `chain_pem` its private key and the certificate."""

    pem: str
    chain_pem: bytes

    @classmethod
    def self_signed(cls) -> Self:
        """Make a certificate that no authority signed, as cameras do; it names no host."""
        return cls._of(own := trustme.CA(), own.cert_pem)

    @classmethod
    def _of(cls, issued: trustme.CA | trustme.LeafCert, certificate: trustme.Blob) -> Self:
        pem = certificate.bytes()
        return cls(pem.decode("ascii"), issued.private_key_pem.bytes() + pem)

    @cached_property
    def fingerprint_sha256(self) -> str:
        """SHA-256 of the certificate in 64 hexadecimal digits."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem)).hexdigest()

    @cached_property
    def server_context(self) -> ssl.SSLContext:
        """For a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with trustme.Blob(self.chain_pem).tempfile() as path:
            context.load_cert_chain(path)
        return context


class Authority:
    """Signs servers' certificates. `pem` is what a client must trust; each authority has its own key."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.pem = self._ca.cert_pem.bytes().decode("ascii")

    def issue(self, *hosts: str, expired: bool = False) -> ServerCertificate:
        """Issue a certificate for `hosts` (names or addresses), valid for a year; with `expired`, until yesterday.

        The moments are real time: TLS reads the clock.
        """
        now = datetime.now(UTC)
        begins, ends = (now - _YEAR, now - _DAY) if expired else (now - _DAY, now + _YEAR)
        leaf = self._ca.issue_cert(*hosts, common_name=hosts[0], not_before=begins, not_after=ends)
        return ServerCertificate._of(leaf, leaf.cert_chain_pems[0])
