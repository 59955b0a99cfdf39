"""`vonggac backup` and `vonggac restore`: both databases and JetStream, while the platform runs, and into an empty one.

Copied in the order in which a restore heals (decision 0070): the register, then the streams, then the reports. The
restored register is never newer than the bus, which it repairs at its start; the restored reports are never older than
the bus, whose repetitions they know.
"""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from local.backup.copy_folder import CopyFolder, DatabaseCopy, Manifest, UnusableBackupError, remove_older
from local.backup.databases import RecordDatabase
from local.backup.place import Place
from local.backup.streams import connected
from local.platform.progress import Progress
from vonggac.auth.keys import WORKERS_PUBLIC

REGISTER, REPORTS = "inventory", "reporting"


def release() -> str:
    """Return the release that runs."""
    return version("vonggac")


async def backup(
    place: AbstractAsyncContextManager[Place],
    into: Path,
    *,
    with_keys: bool,
    kept_for: timedelta | None = None,
    progress: Progress,
) -> int:
    """Write a new backup below `into`, which makes room first: see `remove_older`. Exit status 0.

    Raises UnusableBackupError, OSError or NatsError.
    """
    began = time.monotonic()
    if kept_for is not None:
        removed = await asyncio.to_thread(remove_older, into, kept_for, datetime.now(UTC))
        progress.step("backups", f"{len(removed)} older ones removed")
    async with place as source:
        made_at = datetime.now(UTC)
        with CopyFolder.being_written(into, made_at) as folder:
            register = await _dump(folder, source, REGISTER, progress)
            async with connected(source.nats_url, source.nats_login, source.nats_ca_file) as streams:
                copies = [await streams.save(name, folder.stream(name)) for name in await streams.names()]
                server = streams.server
            progress.step("NATS", f"{len(copies)} streams, {sum(copy.messages for copy in copies)} messages")
            reports = await _dump(folder, source, REPORTS, progress)
            if with_keys:
                _copy_keys(source, folder)
            folder.seal(
                Manifest(
                    made_at=made_at,
                    release=release(),
                    nats_server=server,
                    databases=[register, reports],
                    streams=copies,
                    workers_key=source.workers_key(),
                )
            )
        register_database = RecordDatabase(REGISTER, source.databases[REGISTER])
        await asyncio.to_thread(register_database.note_backup, made_at, datetime.now(UTC), folder.size())
    if not with_keys:
        where = "--with-keys; KEYS=1 of make, WITH_KEYS=1 of compose"
        progress.line(f"The keys are not in it ({where}): keep a copy elsewhere, or no login can be opened.")
    progress.step("backup", f"complete: {folder.root}")
    progress.line(
        json.dumps({"backup": str(folder.root), "bytes": folder.size(), "seconds": round(time.monotonic() - began, 1)})
    )
    return 0


async def restore(
    place: AbstractAsyncContextManager[Place], source: Path, *, replicas: int | None, progress: Progress
) -> int:
    """Fill an empty platform from a backup; exit status 0.

    Nothing is touched before every checksum holds and the target is empty. Raises UnusableBackupError, OSError or
    NatsError.
    """
    began = time.monotonic()
    folder = CopyFolder.complete(source)
    manifest = folder.manifest()
    if manifest.release != release():
        msg = (
            f"{folder.root} was made by release {manifest.release}, and this is {release()}: "
            f"restore with release {manifest.release}, then upgrade"
        )
        raise UnusableBackupError(msg)
    size = await asyncio.to_thread(folder.verify)
    progress.step("backup", f"{folder.root} of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: {size} bytes, checksums hold")
    async with place as target:
        databases = {name: RecordDatabase(name, login) for name, login in target.databases.items()}
        async with connected(target.nats_url, target.nats_login, target.nats_ca_file) as streams:
            for copy in manifest.databases:
                await asyncio.to_thread(databases[copy.name].require_empty, copy)
            _require_empty_bus(await streams.names(), streams.server, manifest)
            _fit_keys(folder, manifest, target, progress)
            for copy in manifest.databases:
                await asyncio.to_thread(databases[copy.name].load, folder.database(copy.name))
                progress.step(copy.name, f"tables of revision {copy.revision}")
            for stream in manifest.streams:
                await streams.load(stream, folder.stream(stream.name), replicas=replicas)
            progress.step("NATS", f"{len(manifest.streams)} streams")
    progress.line(
        json.dumps({"restored": str(folder.root), "bytes": size, "seconds": round(time.monotonic() - began, 1)})
    )
    return 0


@asynccontextmanager
async def at(place: Place) -> AsyncIterator[Place]:
    """Yield a place that is up already."""
    yield place


async def _dump(folder: CopyFolder, source: Place, name: str, progress: Progress) -> DatabaseCopy:
    database = RecordDatabase(name, source.databases[name])
    copy = await asyncio.to_thread(database.describe)
    await asyncio.to_thread(database.dump, folder.database(name))
    progress.step(name, f"tables of revision {copy.revision}, {folder.database(name).stat().st_size} bytes")
    return copy


def _copy_keys(source: Place, folder: CopyFolder) -> None:
    if source.keys is None or not source.keys.is_dir():
        raise UnusableBackupError("the keys are not known here: name their folder with --keys")
    _copy_files(source.keys, folder.keys)


def _copy_files(source: Path, target: Path) -> None:
    """Each in one step; what it replaces may belong to another user."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in source.iterdir():
        part = target / f".{file.name}.part"
        shutil.copy(file, part)
        part.replace(target / file.name)


def _fit_keys(folder: CopyFolder, manifest: Manifest, target: Place, progress: Progress) -> None:
    """Put the backup's keys in place, if it has any: in an empty platform nothing is sealed for others.

    Raises UnusableBackupError when the logins of the register could not be opened.
    """
    if target.keys is None or manifest.workers_key is None:
        return
    if folder.keys.is_dir() and target.workers_key() != manifest.workers_key:
        _copy_files(folder.keys, target.keys)
        progress.step("keys", f"those of the backup, in {target.keys}")
    present = target.workers_key()
    if present != manifest.workers_key:
        what = f"has no {WORKERS_PUBLIC}" if present is None else "has other keys"
        msg = (
            f"{target.keys} {what}: put the keys of the platform there that the backup is of; its cameras' logins are "
            "sealed for them"
        )
        raise UnusableBackupError(msg)


def _require_empty_bus(present: list[str], server: str, manifest: Manifest) -> None:
    if present:
        msg = (
            f"NATS is not empty: it has {', '.join(present[:3])}{' …' if len(present) > 3 else ''}. Restore into a new "
            "one; what is there is never replaced"
        )
        raise UnusableBackupError(msg)
    if _minor(server) < _minor(manifest.nats_server):
        msg = f"the backup is of nats-server {manifest.nats_server}, and this is {server}: use that or a newer one"
        raise UnusableBackupError(msg)


def _minor(text: str) -> tuple[int, ...]:
    """Major and minor number; a pre-release counts as its release."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in text.split(".")[:2])
