"""`python -m local setup`: keys and streams for a platform of containers, once, before its services start.

Keys are separated by their readers: `public/` for every service, `workers/` for prober and forwarder; `signing/`
has all of them, for the tools that issue tokens. So inventory cannot open what it has sealed, even when its container
is broken into.
"""

import os
import shutil
from pathlib import Path

from local.commands.progress import Progress
from local.platform.streams import declare_streams
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE, WORKERS_PUBLIC, ensure_keys

STREAMS_WITHIN_S = 60.0
WHOLE = "signing"
SHARES = {"public": (JWKS, WORKERS_PUBLIC), "workers": (WORKERS_PRIVATE,)}


async def setup(keys: Path, nats_url: str, *, replicas: int, progress: Progress) -> int:
    """Make what is missing below `keys` and at NATS; replaces nothing.

    Raises OSError when a folder is not writable, TimeoutError or NatsError when NATS does not answer or refuses.
    """
    share_keys(keys)
    progress.step("keys", f"in {keys}: {', '.join((WHOLE, *SHARES))}")
    touched = await declare_streams(nats_url, replicas=replicas, within_s=STREAMS_WITHIN_S)
    progress.step("NATS", f"declared {', '.join(touched)}" if touched else "streams exist already")
    return 0


def share_keys(folder: Path) -> None:
    """Make all keys in one folder, and copy to each share its part."""
    ensure_keys(folder / WHOLE)
    for share, names in SHARES.items():
        for name in names:
            _copy(folder / WHOLE / name, folder / share / name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    part = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy(source, part)
    part.replace(target)
