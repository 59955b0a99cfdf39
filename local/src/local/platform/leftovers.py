"""What a platform must not leave: processes, and passwords in its files."""

import time
from collections.abc import Iterable
from pathlib import Path

import psutil

POLL_S = 0.05
CHUNK_BYTES = 1 << 20
KEPT_SECRETS = frozenset({"password", "admin-token", "approver-token", "passwords.conf"})
"""Files whose purpose is to keep secrets, readable by their owner alone; so are those named `….password`."""


def running_below(process: psutil.Process | None = None) -> list[psutil.Process]:
    """List the processes started by this one, and by those, that are alive now."""
    return [one for one in (process or psutil.Process()).children(recursive=True) if alive(one)]


def still_running(processes: Iterable[psutil.Process], *, within_s: float) -> list[psutil.Process]:
    """Those that have not ended, waiting up to `within_s` for them.

    A zombie has ended: orphans stay zombies until the machine's first process reaps them.
    """
    deadline = time.monotonic() + within_s
    running = [one for one in processes if alive(one)]
    while running and time.monotonic() < deadline:
        time.sleep(POLL_S)
        running = [one for one in running if alive(one)]
    return running


def files_with(secrets: Iterable[str], folder: Path) -> list[Path]:
    """Files below `folder` that contain one of `secrets`, without those whose purpose is to keep one."""
    wanted = [secret.encode() for secret in secrets]
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not _keeps_secrets(path))
    return [path for path in files if _contains(path, wanted)]


def arguments_with(secrets: Iterable[str], processes: Iterable[psutil.Process]) -> list[int]:
    """Ids of processes that show one of `secrets` in the process list."""
    wanted = list(secrets)
    return [one.pid for one in processes if any(secret in text for secret in wanted for text in _arguments(one))]


def _keeps_secrets(path: Path) -> bool:
    return path.name in KEPT_SECRETS or path.suffix == ".password"


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def _contains(path: Path, wanted: list[bytes]) -> bool:
    overlap = max(len(secret) for secret in wanted) - 1
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            text = before + chunk
            if any(secret in text for secret in wanted):
                return True
            before = text[-overlap:] if overlap else b""
    return False


def alive(process: psutil.Process) -> bool:
    """Whether the process runs: it is the same one, and no zombie."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
