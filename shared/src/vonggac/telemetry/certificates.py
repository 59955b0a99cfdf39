"""Until when the certificates hold that this process met: of whom it spoke to, and of the CAs that it trusts."""

import ssl
from collections.abc import Mapping
from types import MappingProxyType

_NOT_AFTER: dict[str, float] = {}
"""By peer, in Unix time; of several certificates (servers of a cluster, a file of CAs) the first to end."""

NATS, NATS_CA, OIDC = "nats", "nats_ca", "oidc"


def note_certificate(peer: str, connection: object) -> None:
    """Note the certificate of a TLS connection (its `ssl_object`); a connection without TLS has none."""
    if not isinstance(connection, ssl.SSLObject | ssl.SSLSocket):
        return
    certificate = connection.getpeercert()
    if certificate and isinstance(ends := certificate.get("notAfter"), str):
        _NOT_AFTER[peer] = ssl.cert_time_to_seconds(ends)


def note_trusted(peer: str, context: ssl.SSLContext) -> None:
    """Note the CAs of a context that trusts a file alone."""
    ends = [one["notAfter"] for one in context.get_ca_certs() if isinstance(one.get("notAfter"), str)]
    if ends:
        _NOT_AFTER[peer] = min(ssl.cert_time_to_seconds(str(one)) for one in ends)


def not_after() -> Mapping[str, float]:
    """By peer, as last met."""
    return MappingProxyType(_NOT_AFTER)
