"""Write-only secrets: a libsodium sealed box that inventory can close and only workers can open.

The origins (scheme, host, port) that a login was given for lie in the box beside it, and it is used nowhere else.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import canonical_host
from vonggac.net.errors import MalformedError
from vonggac.net.origin import Origin
from vonggac.net.url import Credentials

type _Box = SealedBox[PublicKey] | SealedBox[PrivateKey]


class SecretUnreadableError(Exception):
    """The sealed text was not made for this worker's key, or is damaged. The message holds no part of the secret."""

    cause = Cause.SECRET_UNREADABLE


class SecretMovedError(SecretUnreadableError):
    """The login was given for another address than the one it would be sent to."""

    cause = Cause.SECRET_MOVED


@dataclass(frozen=True, slots=True)
class _Content:
    """What is in a box. `origins` is None in boxes of releases that sealed none."""

    credentials: Credentials
    origins: frozenset[str] | None


class Sealer:
    """Closes secrets with the workers' public key."""

    def __init__(self, public_key: bytes) -> None:
        """`public_key`: 32 bytes. Raises ValueError otherwise."""
        self._box = SealedBox(PublicKey(public_key))

    @classmethod
    def from_file(cls, path: Path) -> "Sealer":
        """Read a base64 key file. Raises OSError, or ValueError when the content is no key."""
        return cls(_key_bytes(path))

    def seal(self, credentials: Credentials, origin: Origin, *others: Origin) -> str:
        """Base64 text. Sealing the same credentials twice gives different texts.

        `origin` and `others`: where they may be used.
        """
        return _seal(self._box, credentials, frozenset((origin, *others)))


class Unsealer:
    """Opens secrets with the workers' private key."""

    def __init__(self, private_key: bytes) -> None:
        """`private_key`: 32 bytes. Raises ValueError otherwise."""
        key = PrivateKey(private_key)
        self._box, self._closing = SealedBox(key), SealedBox(key.public_key)
        self._hash_key = hashlib.blake2b(private_key, digest_size=32, person=b"vonggac login").digest()
        self.resealed: dict[str, str] = {}
        """Boxes without an origin by their digest, sealed anew with the origins that they are bound to."""
        self.on_resealed: Callable[[str, str], None] | None = None
        """Called with digest and new box when a box without an origin was opened for the first time."""

    def derive_key(self, purpose: bytes) -> bytes:
        """32 bytes that only the holders of the private key have; `purpose`: at most 16 bytes, each has its own."""
        return hashlib.blake2b(self._hash_key, digest_size=32, person=purpose).digest()

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

    def unseal(self, sealed: str, url: str, *others: Origin) -> Credentials:
        """Open the box: the login, to be sent to `url` and nowhere else.

        A box without an origin is bound to `url` and `others` of its plan by the first worker that opens it. Raises
        SecretUnreadableError, SecretMovedError when the login was given for another origin or `url` has none.
        """
        content = self._open(sealed)
        try:
            origin = Origin.of(url)
        except MalformedError as error:
            raise SecretMovedError(f"not sent: {error.message}") from None
        origins = content.origins
        if origins is None:
            origins = self._bound(sealed, content.credentials, frozenset((origin, *others)))
        if origin not in origins:
            msg = "not sent: the credentials were given for another address; give them again for this one"
            raise SecretMovedError(msg)
        return content.credentials

    def _bound(self, sealed: str, credentials: Credentials, origins: frozenset[str]) -> frozenset[str]:
        digest = digest_of(sealed)
        if (known := self.resealed.get(digest)) is not None:
            try:
                content = self._open(known)
            except SecretUnreadableError:
                content = None
            # Whoever only writes the bucket does not know what is in the old box.
            if content is not None and content.origins is not None and content.credentials == credentials:
                return content.origins
        self.resealed[digest] = _seal(self._closing, credentials, origins)
        if self.on_resealed is not None:
            self.on_resealed(digest, self.resealed[digest])
        return origins

    def _open(self, sealed: str) -> _Content:
        try:
            content = json.loads(self._box.decrypt(base64.b64decode(sealed, validate=True)))
            credentials = Credentials(username=content["username"], password=content["password"])
            origins = content.get("origins")
            return _Content(credentials, frozenset(origins) if origins is not None else None)
        except (CryptoError, binascii.Error, ValueError, KeyError, TypeError, AttributeError):
            msg = "sealed for another key, or damaged: write the credentials again in inventory"
            raise SecretUnreadableError(msg) from None


def digest_of(sealed: str) -> str:
    """Names a box (64 hexadecimal digits); two boxes around one login have different ones."""
    return hashlib.sha256(sealed.encode("utf-8", "surrogatepass")).hexdigest()


def _seal(box: _Box, credentials: Credentials, origins: frozenset[str]) -> str:
    content = {"username": credentials.username, "password": credentials.password, "origins": sorted(origins)}
    return base64.b64encode(box.encrypt(json.dumps(content).encode())).decode()


def _key_bytes(path: Path) -> bytes:
    try:
        content = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        content = b""
    if len(content) != 32:
        msg = f"{path.name} does not hold a key (base64 of 32 bytes)"
        raise ValueError(msg)
    return content
