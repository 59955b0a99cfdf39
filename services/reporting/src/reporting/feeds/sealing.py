"""Secrets at rest: addresses of channels and the keys of webhooks, sealed with a key that is outside PostgreSQL.

Authenticated encryption (libsodium secretbox). Whoever reads the database reads none of them.
"""

import base64
import binascii
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from vonggac.settings.passwords import read_password


class SealBrokenError(Exception):
    """A sealed text was not made with this key, or is damaged."""


class Seal:
    """Closes and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes. Raises ValueError otherwise."""
        self._box = SecretBox(key)

    @classmethod
    def from_file(cls, path: Path) -> "Seal":
        """Read a base64 key file. Raises OSError, or ValueError when the content is no key."""
        try:
            return cls(base64.b64decode(read_password(path), validate=True))
        except (binascii.Error, ValueError):
            msg = f"{path.name} holds no key: 32 bytes in base64"
            raise ValueError(msg) from None

    def close(self, text: str) -> str:
        """Base64 text; closing the same text twice gives different ones."""
        return base64.b64encode(self._box.encrypt(text.encode())).decode("ascii")

    def open(self, sealed: str) -> str:
        """Open what was sealed. Raises SealBrokenError."""
        try:
            return self._box.decrypt(base64.b64decode(sealed, validate=True)).decode()
        except (CryptoError, binascii.Error, ValueError):
            msg = "it was sealed with another key: give it again"
            raise SealBrokenError(msg) from None
