"""The key files of the embedded default, made at first start and kept in one folder.

`signing-key.pem` (Ed25519, signs tokens) and `jwks.json` (its public half); `workers.key` (X25519, opens secrets, for
prober and forwarder only) and `workers.pub` (seals them, for inventory); `reporting.key` (seals what reporting alone
opens: secrets of webhooks, addresses of channels). Private files are readable by their owner alone.
"""

import base64
import hashlib
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.public import PrivateKey

from vonggac.auth.tokens import TokenIssuer

SIGNING_KEY = "signing-key.pem"
JWKS = "jwks.json"
WORKERS_PRIVATE = "workers.key"
WORKERS_PUBLIC = "workers.pub"
REPORTING_SEAL = "reporting.key"
SEAL_BYTES = 32


def ensure_keys(folder: Path) -> None:
    """Make the files that are missing; existing ones are never replaced.

    Raises OSError when the folder is not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / SIGNING_KEY).exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(folder / SIGNING_KEY, pem, private=True)
    _write(folder / JWKS, json.dumps(_jwks(signing_key(folder)), indent=1).encode(), private=False)
    if not (folder / WORKERS_PRIVATE).exists():
        _write(folder / WORKERS_PRIVATE, base64.b64encode(bytes(PrivateKey.generate())) + b"\n", private=True)
    if not (folder / REPORTING_SEAL).exists():
        _write(folder / REPORTING_SEAL, base64.b64encode(os.urandom(SEAL_BYTES)) + b"\n", private=True)
    secret = PrivateKey(base64.b64decode((folder / WORKERS_PRIVATE).read_bytes()))
    _write(folder / WORKERS_PUBLIC, base64.b64encode(bytes(secret.public_key)) + b"\n", private=False)


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """Load the private signing key. Raises OSError when missing, ValueError when it is no Ed25519 key."""
    key = serialization.load_pem_private_key((folder / SIGNING_KEY).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{SIGNING_KEY} is not an Ed25519 key"
        raise ValueError(msg)
    return key


def token_issuer(folder: Path) -> TokenIssuer:
    """Build an issuer whose tokens the folder's jwks.json verifies."""
    key = signing_key(folder)
    return TokenIssuer(key, key_id=_key_id(_public_bytes(key)))


def _jwks(key: Ed25519PrivateKey) -> dict[str, object]:
    public = _public_bytes(key)
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": _key_id(public), "x": x}]}


def _public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _write(path: Path, content: bytes, *, private: bool) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
