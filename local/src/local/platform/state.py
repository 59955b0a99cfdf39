"""The folder of a run: data, keys, logs, and the running processes.

All of it is readable by its owner alone (`private_files`).

lock            held by the running platform (flock), with its process id
processes.json  process ids with their start times, to stop what a killed platform left
ports.json      the ports of the last start
own.json        hosts and facilities that the user's files have named
keys/ postgres/ nats/ log/ simulator/
centres/        the passwords of a user's own centres that pull
admin-token     the token of this run, readable by its owner alone
approver-token  the same of a second person, who approves what the first one wrote
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.platform.leftovers import alive, still_running
from local.platform.store_watch import LEAST_FREE_BYTES

LEFTOVER_STOP_WITHIN_S = 15.0


def private_files() -> None:
    """Whatever this process and its children make from now on is readable by its owner alone."""
    os.umask(0o077)


def open_to_others(folder: Path) -> list[Path]:
    """List what lies below `folder` that somebody else could read or write."""
    return [path for path in sorted(folder.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]


class StateInUseError(Exception):
    """Another platform runs with this folder; the message says which process."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths in the folder."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        return self.root / "nats"

    def nats_password(self, user: str) -> Path:
        """Return the file with the password of a NATS user."""
        return self.nats / "secrets" / f"{user}.password"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def simulator(self) -> Path:
        return self.root / "simulator"

    @property
    def pulling(self) -> Path:
        """What the simulator's centres that pull were given, with their passwords."""
        return self.simulator / "pulling"

    @property
    def centres(self) -> Path:
        """The passwords of a user's own centres that pull, a file each."""
        return self.root / "centres"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"

    @property
    def own_file(self) -> Path:
        return self.root / "own.json"

    @property
    def token_file(self) -> Path:
        return self.root / "admin-token"

    @property
    def approver_token_file(self) -> Path:
        return self.root / "approver-token"

    def has_room(self) -> bool:
        """Whether every disk that a part writes to has some: a database may lie on one of its own."""
        folders = (self.root, self.postgres, self.nats)
        return all(shutil.disk_usage(one).free >= LEAST_FREE_BYTES for one in folders if one.exists())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder alone. Raises StateInUseError, or OSError when the folder cannot be written."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._close_to_others()
        with (self.root / "lock").open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                msg = f"a platform already runs with {self.root} (process {holder}): stop it, or take another folder"
                raise StateInUseError(msg) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield
            lock.truncate(0)

    def _close_to_others(self) -> None:
        # Started by root, PostgreSQL runs as another user, who has to come through to its own folder.
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.keys, self.nats, self.logs, self.simulator):
            if folder.exists():
                folder.chmod(0o700)

    def write_tokens(self, admin: str, approver: str) -> None:
        """Write the tokens of two persons, readable by the owner alone."""
        for path, token in ((self.token_file, admin), (self.approver_token_file, approver)):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(token)


class ProcessRecord:
    """The started processes, on disk, so that the next platform can stop what a killed one left."""

    def __init__(self, state: StateFolder) -> None:
        self._file = state.root / "processes.json"
        self._started: dict[str, tuple[int, float, int]] = {}

    def record_started(self, name: str, pid: int, stop_signal: int) -> None:
        """Record a process that was just started, and the signal that stops it in order."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._started[name] = (pid, psutil.Process(pid).create_time(), stop_signal)
        self._write()

    def record_ended(self, name: str) -> None:
        """Remove a process that has ended."""
        self._started.pop(name, None)
        self._write()

    def stop_leftovers(self, report: Callable[[str, str], None]) -> None:
        """Stop what an earlier platform left running, last started first; calls `report(name, text)` for each."""
        for name, (pid, created, stop_signal) in reversed(self._read().items()):
            process = _same_process(pid, created)
            if process is None:
                continue
            report(name, "left over from a platform that was killed: stopping it")
            process.send_signal(stop_signal)
            for stubborn in still_running([process], within_s=LEFTOVER_STOP_WITHIN_S):
                stubborn.kill()
                still_running([stubborn], within_s=LEFTOVER_STOP_WITHIN_S)
        self._started = {}
        self._write()

    def _read(self) -> dict[str, tuple[int, float, int]]:
        try:
            content = json.loads(self._file.read_text("utf-8"))
            return {name: (int(pid), float(created), int(stop)) for name, (pid, created, stop) in content.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            # Half written by a power cut, or not ours: no leftovers are known.
            return {}

    def _write(self) -> None:
        part = self._file.with_suffix(".part")
        # A full disk must keep no part from starting or ending; the next one that does writes all of it.
        with contextlib.suppress(OSError):
            part.write_text(json.dumps(self._started), "utf-8")
            part.replace(self._file)


def _same_process(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        # The kernel reuses process ids; the start time identifies the process.
        if abs(process.create_time() - created) > 1 or not alive(process):
            return None
    except psutil.NoSuchProcess:
        return None
    return process
