"""The folder of one backup: what it has, from what it was made, and the checksum of every file.

    manifest.json               release, servers, tables' revisions, streams
    SHA256SUMS                  of every other file: `sha256sum --check SHA256SUMS`
    databases/<name>.dump       pg_dump's custom format
    streams/<name>/             backup.json and stream.tar.s2, as the `nats` program makes and reads them
    keys/                       only when asked for

A backup that is not complete has a name that ends in `.part`, and nothing reads it.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
UNFINISHED = ".part"
NAME = "%Y-%m-%dT%H-%M-%SZ"
"""Of a backup's folder, by the time at which it was begun, in UTC."""
BROKEN_OFF_AFTER = timedelta(days=1)
"""No backup takes so long: one that is unfinished then was killed."""


class UnusableBackupError(ValueError):
    """A folder that is no backup, is damaged, or does not fit; the message says what to do."""


class DatabaseCopy(BaseModel):
    """One database as it was."""

    model_config = ConfigDict(extra="forbid")

    name: str
    postgres: int
    """The server's major version."""
    revision: str | None
    """Of its tables; None: no migration had run."""


class StreamCopy(BaseModel):
    """One stream as it was."""

    model_config = ConfigDict(extra="forbid")

    name: str
    messages: int
    last_sequence: int


class Manifest(BaseModel):
    """What a backup has."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    made_at: AwareDatetime
    release: str
    nats_server: str
    databases: list[DatabaseCopy]
    streams: list[StreamCopy]
    workers_key: str | None
    """SHA-256 of the workers' public key, for which the register's logins are sealed; None: not known."""


class CopyFolder:
    """A complete backup, or one that is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    @contextlib.contextmanager
    def being_written(cls, beneath: Path, made_at: datetime) -> Iterator[Self]:
        """Make a folder below `beneath`, named by the time. It gets its name when the block ends, else it is removed.

        Raises OSError.
        """
        name = made_at.astimezone(UTC).strftime(NAME)
        final, part = beneath / name, beneath / f"{name}{UNFINISHED}"
        if final.exists():
            msg = f"{final} is there already"
            raise FileExistsError(msg)
        beneath.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
        folder = cls(part)
        try:
            yield folder
            _sync(part)
            part.rename(final)
            folder.root = final
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    @classmethod
    def complete(cls, path: Path) -> Self:
        """Open the backup at `path`, or the newest one below it. Raises UnusableBackupError."""
        if (path / MANIFEST).is_file():
            return cls(path)
        found = sorted(
            child
            for child in (path.iterdir() if path.is_dir() else ())
            if (child / MANIFEST).is_file() and not child.name.endswith(UNFINISHED)
        )
        if not found:
            msg = f"{path} is no backup, and has none: name a folder that `backup` has made"
            raise UnusableBackupError(msg)
        return cls(found[-1])

    def database(self, name: str) -> Path:
        """Return the file of a database's dump; its folder is there."""
        return self._below("databases") / f"{name}.dump"

    def stream(self, name: str) -> Path:
        """Return the folder of a stream's copy."""
        return self._below("streams", name)

    @property
    def keys(self) -> Path:
        """The keys, where the backup has them."""
        return self.root / "keys"

    def seal(self, manifest: Manifest) -> None:
        """Write the manifest and the checksums; the last thing written. Raises OSError."""
        (self.root / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
        lines = [f"{checksum(path)}  {path.relative_to(self.root)}\n" for path in self._files()]
        (self.root / CHECKSUMS).write_text("".join(lines), "ascii")

    def manifest(self) -> Manifest:
        """Read the manifest. Raises UnusableBackupError."""
        try:
            return Manifest.model_validate_json((self.root / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            msg = f"{self.root / MANIFEST} cannot be read by this release: restore with the release that made it"
            raise UnusableBackupError(msg) from None

    def verify(self) -> int:
        """Compare every file with its checksum; the bytes read. Raises UnusableBackupError naming what differs."""
        try:
            lines = (self.root / CHECKSUMS).read_text("ascii").splitlines()
        except OSError:
            msg = f"{self.root / CHECKSUMS} is missing: the backup is not complete"
            raise UnusableBackupError(msg) from None
        stated = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        present = {str(path.relative_to(self.root)): path for path in self._files()}
        for name in sorted(stated.keys() | present.keys()):
            if name not in present:
                raise UnusableBackupError(f"{self.root}: {name} is missing; take another backup")
            if name not in stated:
                raise UnusableBackupError(f"{self.root}: {name} does not belong to the backup; remove it")
            if checksum(present[name]) != stated[name]:
                raise UnusableBackupError(f"{self.root}: {name} is damaged (its checksum differs); take another backup")
        return self.size()

    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self._files())

    def _files(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.is_file() and path.name != CHECKSUMS)

    def _below(self, *parts: str) -> Path:
        folder = self.root.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def remove_older(beneath: Path, kept_for: timedelta, now: datetime) -> list[Path]:
    """Remove the backups made longer ago than that but for the newest, and what broke off a day ago; nothing else.

    Their names have their age. A backup is unfinished until its last file is gone. Returns what was removed. Raises
    OSError.
    """
    made = {path: at for path in (beneath.iterdir() if beneath.is_dir() else ()) if (at := _made_at(path)) is not None}
    complete = sorted(path for path in made if not path.name.endswith(UNFINISHED) and (path / MANIFEST).is_file())
    old = [path for path in complete[:-1] if now - made[path] > kept_for]
    broken_off = [path for path in made if path.name.endswith(UNFINISHED) and now - made[path] > BROKEN_OFF_AFTER]
    for path in old:
        part = path.with_name(f"{path.name}{UNFINISHED}")
        path.rename(part)
        shutil.rmtree(part)
    for path in broken_off:
        shutil.rmtree(path)
    return [*old, *broken_off]


def _made_at(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name.removesuffix(UNFINISHED), NAME).replace(tzinfo=UTC)
    except ValueError:
        return None


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """On the disk before the backup gets its name."""
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
