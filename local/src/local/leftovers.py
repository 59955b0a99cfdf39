"""What a platform must not leave behind: processes, and passwords in anything it wrote."""

from collections.abc import Iterable
from pathlib import Path

import psutil

CHUNK_BYTES = 1 << 20
KEPT_SECRETS = frozenset({"password", "admin-token"})
"""Files whose purpose is to keep one secret, readable by their owner alone."""


def running_below(process: psutil.Process | None = None) -> list[psutil.Process]:
    """The processes started by this one, and by those, that are alive now."""
    return [one for one in (process or psutil.Process()).children(recursive=True) if _alive(one)]


def still_running(processes: Iterable[psutil.Process], *, within_s: float) -> list[psutil.Process]:
    """Those that have not ended, waiting up to `within_s` for them."""
    _, alive = psutil.wait_procs(list(processes), timeout=within_s)
    return [one for one in alive if _alive(one)]


def files_with(secrets: Iterable[str], folder: Path) -> list[Path]:
    """Files below `folder` that contain one of `secrets`, the files that are there to keep one left out."""
    wanted = [secret.encode() for secret in secrets]
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in KEPT_SECRETS)
    return [path for path in files if _contains(path, wanted)]


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


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
