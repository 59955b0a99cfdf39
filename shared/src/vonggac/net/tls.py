"""Trust on rtsps://: the system's authorities, an own one, or one certificate by its fingerprint."""

import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from functools import lru_cache

from vonggac.events.causes import Cause
from vonggac.events.inventory import TlsTrust
from vonggac.net.errors import PeerError
from vonggac.net.tls_counting import CountingContext

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """`TlsPolicy()` trusts the system's authorities and checks the host's name.

    With `ca_pem` only the authorities in it are trusted, and the name is checked. With `fingerprint_sha256` exactly the
    certificate with that SHA-256 (of its DER form; hex, colons allowed) is trusted, whoever signed it and whatever
    name it has: what cameras with self-signed certificates need. `unverified` trusts everybody: the traffic is
    encrypted, and a man in the middle reads it.

    Raises ValueError naming what is wrong.
    """

    ca_pem: str | None = None
    fingerprint_sha256: str | None = None
    unverified: bool = False

    def __post_init__(self) -> None:
        if sum((self.ca_pem is not None, self.fingerprint_sha256 is not None, self.unverified)) > 1:
            msg = "ca_pem, fingerprint_sha256 and unverified exclude each other"
            raise ValueError(msg)
        if self.ca_pem is not None and "-----BEGIN CERTIFICATE-----" not in self.ca_pem:
            msg = "ca_pem holds no certificate (-----BEGIN CERTIFICATE-----)"
            raise ValueError(msg)
        if self.fingerprint_sha256 is not None:
            plain = re.sub(r"[:\s]", "", self.fingerprint_sha256).lower()
            if not _FINGERPRINT.fullmatch(plain):
                msg = "fingerprint_sha256 must be 64 hexadecimal digits (colons are allowed)"
                raise ValueError(msg)
            object.__setattr__(self, "fingerprint_sha256", plain)

    @property
    def context(self) -> ssl.SSLContext:
        """The client's context, made once per policy. Reads the system's authorities the first time: that blocks."""
        return _context(self)

    def check(self, certificate: bytes | None) -> None:
        """Compare the peer's certificate (DER) with the fingerprint. Raises PeerError `tls` when they differ."""
        if self.fingerprint_sha256 is None:
            return
        found = hashlib.sha256(certificate or b"").hexdigest()
        if not hmac.compare_digest(found, self.fingerprint_sha256):
            raise PeerError(Cause.TLS, f"the certificate has another fingerprint: SHA-256 {found}")


SYSTEM_AUTHORITIES = TlsPolicy()


def policy_of(trust: TlsTrust | None) -> TlsPolicy:
    """Inventory's trust for a camera or destination, as a policy. Raises PeerError `tls` when it is unusable."""
    if trust is None:
        return SYSTEM_AUTHORITIES
    try:
        return TlsPolicy(ca_pem=trust.ca_pem, fingerprint_sha256=trust.fingerprint_sha256)
    except ValueError as error:
        raise PeerError(Cause.TLS, str(error)) from None


@lru_cache(maxsize=256)
def _context(policy: TlsPolicy) -> ssl.SSLContext:
    context = CountingContext(ssl.PROTOCOL_TLS_CLIENT)
    if policy.unverified or policy.fingerprint_sha256 is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    # As in ssl.create_default_context since Python 3.13.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if policy.ca_pem is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cadata=policy.ca_pem)
    return context


def tls_error(error: OSError | ValueError) -> PeerError:
    """Convert a failed handshake to a PeerError `tls`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return PeerError(Cause.TLS, f"the certificate is not trusted: {error.verify_message.rstrip('.')}")
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"):
            return PeerError(Cause.TLS, "the peer does not speak TLS on this port")
        reason = (error.reason or "no reason given").lower().replace("_", " ")
        return PeerError(Cause.TLS, f"the TLS handshake failed: {reason}")
    if isinstance(error, TimeoutError):
        return PeerError(Cause.TLS, "the TLS handshake was not finished in time: does the peer speak TLS on this port?")
    if isinstance(error, OSError):
        return PeerError(Cause.TLS, "the peer broke off the TLS handshake: does it speak TLS on this port?")
    return PeerError(Cause.TLS, "the host's name or the authority's certificate cannot be used for TLS")
