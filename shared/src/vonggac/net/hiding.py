"""Some peers repeat in their answers what they were sent; a PeerError holds no credential all the same."""

from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials
from vonggac.telemetry.redaction import redact


def hide_login(error: PeerError, credentials: Credentials | None) -> None:
    """Take the login that the peer was sent out of the error's message."""
    if credentials is not None:
        error.message = redact(error.message, credentials.words)
