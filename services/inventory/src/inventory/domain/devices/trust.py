"""Trust over TLS: own authorities, or the fingerprint of one certificate."""

import ssl
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from inventory.domain.devices.addresses import SECURE_SCHEMES, scheme_of
from inventory.domain.fields import Fields
from vonggac.net.tls import TlsPolicy

MAX_PEM_LENGTH = 64 * 1024


def _check_pem(pem: str) -> str:
    try:
        # A letter that is none of ASCII is a TypeError of `ssl`, which Pydantic lets pass.
        pem.encode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        msg = "holds no readable certificate: paste the whole PEM file (-----BEGIN CERTIFICATE----- …)"
        raise ValueError(msg) from None
    return pem.replace("\r\n", "\n").strip()


def _plain_fingerprint(text: str) -> str:
    """Lower case, without colons. Raises ValueError when `text` is not a SHA-256."""
    return str(TlsPolicy(fingerprint_sha256=text).fingerprint_sha256)


class Trust(Fields):
    """As `vonggac.events.inventory.TlsTrust`, checked. None means the system's authorities."""

    ca_pem: Annotated[str, StringConstraints(max_length=MAX_PEM_LENGTH), AfterValidator(_check_pem)] | None = Field(
        default=None, description="Own authorities, PEM; the host's name is checked."
    )
    fingerprint_sha256: Annotated[str, AfterValidator(_plain_fingerprint)] | None = Field(
        default=None, description="SHA-256 of the one trusted certificate (DER): 64 hexadecimal digits, colons allowed."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ca_pem is None) == (self.fingerprint_sha256 is None):
            msg = "give either ca_pem or fingerprint_sha256; or null, to trust the system's authorities"
            raise ValueError(msg)
        return self


def check_trust_is_used(trust: Trust | None, urls: Iterable[str | None]) -> None:
    """Raise ValueError when there is trust and no address uses TLS: the trust would have no effect."""
    if trust is None or any(url is not None and scheme_of(url) in SECURE_SCHEMES for url in urls):
        return
    msg = f"is given, but the address does not use TLS ({', '.join(sorted(SECURE_SCHEMES))}): change either"
    raise ValueError(msg)
