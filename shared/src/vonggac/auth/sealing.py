"""Write-only secrets: a libsodium sealed box that inventory can close and only workers can open."""

import base64
import binascii
import hashlib
import json
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from vonggac.net.allowed_networks import canonical_host
from vonggac.net.url import Credentials


class SecretUnreadableError(Exception):
    """The sealed text was not made for this worker's key, or is damaged. The message holds no part of the secret."""


class Sealer:
    """Closes secrets with the workers' public key."""

    def __init__(self, public_key: bytes) -> None:
        """`public_key`: 32 bytes. Raises ValueError otherwise."""
        self._box = SealedBox(PublicKey(public_key))

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Read a base64 key file. Raises OSError, or ValueError when the content is no key."""
        return cls(_key_bytes(path))

    def seal(self, credentials: Credentials) -> str:
        """Base64 text. Sealing the same credentials twice gives different texts."""
        plain = json.dumps({"username": credentials.username, "password": credentials.password}).encode()
        return base64.b64encode(self._box.encrypt(plain)).decode()


class Unsealer:
    """Opens secrets with the workers' private key."""

    def __init__(self, private_key: bytes) -> None:
        """`private_key`: 32 bytes. Raises ValueError otherwise."""
        self._box = SealedBox(PrivateKey(private_key))
        self._hash_key = hashlib.blake2b(private_key, digest_size=32, person=b"vonggac login").digest()

    def fingerprint(self, device: str, credentials: Credentials) -> str:
        """32 hex digits that identify these credentials at this device, and reveal nothing without the key.

        `device`: `host:port`. However the host is spelled, the device counts the same failed logins.
        """
        host, colon, port = device.rpartition(":")
        device = canonical_host(host.strip("[]")) + colon + port
        text = json.dumps([device, credentials.username, credentials.password]).encode()
        return hashlib.blake2b(text, digest_size=16, key=self._hash_key).hexdigest()

    @classmethod
    def from_file(cls, path: Path) -> "Unsealer":
        """Read a base64 key file. Raises OSError, or ValueError when the content is no key."""
        return cls(_key_bytes(path))

    def unseal(self, sealed: str) -> Credentials:
        """Raises SecretUnreadableError."""
        try:
            content = json.loads(self._box.decrypt(base64.b64decode(sealed, validate=True)))
            return Credentials(username=content["username"], password=content["password"])
        except (CryptoError, binascii.Error, ValueError, KeyError, TypeError):
            msg = "sealed for another key, or damaged: write the credentials again in inventory"
            raise SecretUnreadableError(msg) from None


def _key_bytes(path: Path) -> bytes:
    try:
        content = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        content = b""
    if len(content) != 32:
        msg = f"{path.name} does not hold a key (base64 of 32 bytes)"
        raise ValueError(msg)
    return content
