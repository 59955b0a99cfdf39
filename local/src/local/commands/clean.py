"""`python -m local clean`: remove a state folder, unless a platform is running with it."""

import shutil

from local.platform.progress import Progress
from local.platform.state import ProcessRecord, StateFolder

OURS = ("lock", "log", "keys")


def clean(state: StateFolder, progress: Progress) -> int:
    """Exit status 0 when the folder is gone, 1 when it is not a state folder. Raises StateInUseError."""
    if not state.root.exists():
        progress.line(f"{state.root} is not there: nothing to remove")
        return 0
    if not any((state.root / name).exists() for name in OURS) and any(state.root.iterdir()):
        progress.line(f"{state.root} was not made by this platform: it stays")
        return 1
    with state.lock():
        ProcessRecord(state).stop_leftovers(progress.step)
        shutil.rmtree(state.root)
    progress.line(f"{state.root} is removed")
    return 0
