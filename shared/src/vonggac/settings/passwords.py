"""Passwords that the platform makes for itself: one a file, readable by its owner alone."""

import os
import secrets
from pathlib import Path

BYTES = 24


def ensure_password(path: Path) -> str:
    """Read the password in the file, made there first when there is none. Raises OSError, ValueError if empty."""
    try:
        return read_password(path)
    except FileNotFoundError:
        write_private(path, secrets.token_urlsafe(BYTES))
        return read_password(path)


def read_password(path: Path) -> str:
    """Read the first line of the file, whatever characters it has. Raises OSError, or ValueError when it is empty."""
    with path.open(encoding="utf-8", newline="") as file:
        password = file.readline().rstrip("\r\n")
    if not password:
        msg = f"{path.name} holds no password"
        raise ValueError(msg)
    return password


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step by one that only its owner reads; its folder is made so too. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
