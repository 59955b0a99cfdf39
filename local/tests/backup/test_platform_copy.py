"""Backup and restore on the real servers: what comes back is what was there, and nothing is ever overwritten."""

import asyncio
import io
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from nats.js.api import ConsumerConfig

import inventory.migrations
import reporting.migrations
from local.backup import place
from local.backup.copy_folder import CopyFolder, Manifest, UnusableBackupError
from local.backup.databases import RecordDatabase, _program
from local.backup.place import Place
from local.backup.platform_copy import at, backup, release, restore
from local.platform.progress import Progress
from local.platform.state import StateFolder
from vonggac.auth.keys import ensure_keys
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import INVENTORY, OWNER
from vonggac.database import migrate
from vonggac.events import subjects
from vonggac.settings.passwords import read_password
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

FACTS, JOBS = 300, 20
QUEUES = (topology.PROBE_JOBS, topology.DELIVERY_JOBS, topology.VERIFY_JOBS)
SCRIPTS = {"inventory": inventory.migrations.SCRIPTS, "reporting": reporting.migrations.SCRIPTS}


async def run(*command: str, cwd: Path | None = None) -> None:
    """A program that must succeed."""
    await asyncio.to_thread(lambda: subprocess.run(command, cwd=cwd, check=True))


@pytest.fixture
def folder(servers_folder: Path) -> Path:
    """Where PostgreSQL can reach its data, whoever it runs as."""
    own = servers_folder / uuid4().hex
    own.mkdir(mode=0o755)
    return own


def quiet() -> Progress:
    return Progress(io.StringIO())


def nothing(_part: str, _text: str) -> None:
    """Reports of a start that nobody reads."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def source(servers_folder: Path) -> AsyncIterator[Place]:
    """A platform's servers with tables, facts, jobs that wait for their next turn, and values of a bucket."""
    state = StateFolder(servers_folder / "copied")
    ensure_keys(state.keys)
    async with place.new_state(state, nothing) as started:
        for name, login in started.databases.items():
            await asyncio.to_thread(migrate, SCRIPTS[name], url(started, name))
            assert login.password_file.exists()
        await fill_bus(started)
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def copied(source: Place, servers_folder: Path) -> CopyFolder:
    """One backup of `source`, as written."""
    into = servers_folder / "backups"
    assert await backup(at(source), into, with_keys=True, progress=quiet()) == 0
    return CopyFolder.complete(into)


def url(started: Place, name: str) -> str:
    login = started.databases[name]
    return login.url.replace("@", f":{read_password(login.password_file)}@")


async def connect(started: Place, user: str) -> Bus:
    assert started.nats_login is not None
    password_file = started.nats_login.password_file.with_name(f"{user}.password")
    return await Bus.connect(NatsAt(started.nats_url, user, nats_password_file=password_file), name="test")


async def fill_bus(started: Place) -> None:
    owner, publisher = await connect(started, OWNER.name), await connect(started, INVENTORY.name)
    try:
        await topology.declare(owner.js, observations_max_bytes=64 << 20)
        for number in range(FACTS):
            await publisher.js.publish(
                subjects.replay(subjects.camera_observation(f"c{number % 7}")), b"fact %d" % number
            )
        for number in range(JOBS):
            await publisher.js.publish(subjects.inventory("camera", uuid4()), b"camera %d" % number)
        await publisher.js.publish(subjects.key_value(topology.POSITIONS, "outbox"), b"20")

        async def queued() -> bool:
            return all([(await owner.js.stream_info(name)).state.messages == JOBS for name in QUEUES])

        await eventually(queued)
    finally:
        await owner.close()
        await publisher.close()


async def jobs(bus: Bus, queue: str) -> dict[str, int]:
    """How many there are by subject."""
    return dict((await bus.js.stream_info(queue, subjects_filter=">")).state.subjects or {})


async def streams(started: Place) -> dict[str, Any]:
    """Everything that can be seen of the streams and their consumers, without what differs by nature."""
    bus = await connect(started, OWNER.name)
    try:
        seen: dict[str, Any] = {}
        for name in [str(config.name) for config in (*topology.streams(1), *topology.buckets(1))]:
            info = await bus.js.stream_info(name)
            state = info.state
            # The first sequence of an empty stream is 0 before a restore and 1 after it.
            first = state.first_seq if state.messages else None
            # INVENTORY, which comes back after them, may fill the queues once more: the same jobs under other numbers.
            kept = await jobs(bus, name) if name in QUEUES else (first, state.last_seq)
            seen[name] = (info.config, state.messages, kept, state.bytes)
        for consumer in topology.CONSUMERS:
            config: ConsumerConfig = (await bus.js.consumer_info(consumer.stream, consumer.name)).config
            seen[f"{consumer.stream}/{consumer.name}"] = config
        return seen
    finally:
        await bus.close()


def tables(started: Place, name: str) -> str:
    """The whole database as SQL, but for the notes of backups: that of a copy comes when it is complete."""
    login = started.databases[name]
    address = login.url.replace("postgresql+psycopg", "postgresql")
    done = subprocess.run(
        [_program("pg_dump"), "--no-owner", "--exclude-table-data=backups", "--restrict-key=test", address],
        capture_output=True,
        text=True,
        check=True,
        env={"PGPASSWORD": read_password(login.password_file)},
    )
    return done.stdout


async def test_what_comes_back_is_what_was_there(source: Place, copied: CopyFolder, folder: Path) -> None:
    state = StateFolder(folder / "restored")
    assert await restore(place.new_state(state, nothing), copied.root, replicas=None, progress=quiet()) == 0
    async with place.of_state(state, nothing) as target:
        for name in SCRIPTS:
            assert tables(target, name) == tables(source, name)
        assert await streams(target) == await streams(source)
        bus = await connect(target, OWNER.name)
        assert await topology.declare(bus.js, observations_max_bytes=64 << 20) == []
        await bus.close()
    for key in (state.keys / "workers.key", state.keys / "workers.pub"):
        assert source.keys is not None
        assert key.read_bytes() == (source.keys / key.name).read_bytes()
        assert key.stat().st_mode & 0o077 == 0 or key.suffix == ".pub"


async def test_a_complete_backup_is_noted_in_the_register(source: Place, copied: CopyFolder) -> None:
    with psycopg.connect(url(source, "inventory").replace("+psycopg", "")) as connection:
        notes = connection.execute("select began_at, finished_at, size_bytes from backups").fetchall()
    [(began_at, finished_at, size_bytes)] = [note for note in notes if note[0] == copied.manifest().made_at]
    assert began_at < finished_at
    assert size_bytes > 0


async def test_a_backup_is_checked_by_a_program_that_everybody_has(copied: CopyFolder) -> None:
    await run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=copied.root)
    content = json.loads((copied.root / "manifest.json").read_text("utf-8"))
    assert content["release"] == release()
    counts = {stream["name"]: stream["messages"] for stream in content["streams"]}
    assert (counts["OBSERVATIONS"], counts["INVENTORY"], counts["PROBE_JOBS"]) == (FACTS, JOBS, JOBS)


async def test_the_register_is_copied_before_the_queues_and_the_outbox_position_last(copied: CopyFolder) -> None:
    names = [stream.name for stream in copied.manifest().streams]
    assert names[:4] == ["PROBE_JOBS", "DELIVERY_JOBS", "VERIFY_JOBS", "INVENTORY"]
    assert names[-1] == "KV_positions"


async def test_what_is_there_is_never_replaced(source: Place, copied: CopyFolder) -> None:
    with pytest.raises(UnusableBackupError, match=r"the database inventory is not empty \(\d+ tables"):
        await restore(at(source), copied.root, replicas=None, progress=quiet())


async def test_a_bus_that_has_streams_is_never_replaced(source: Place, copied: CopyFolder, folder: Path) -> None:
    async with place.new_state(StateFolder(folder / "other"), nothing) as empty:
        mixed = Place(empty.databases, source.nats_url, source.nats_login, source.keys)
        with pytest.raises(UnusableBackupError, match="NATS is not empty: it has"):
            await restore(at(mixed), copied.root, replicas=None, progress=quiet())
        with psycopg.connect(url(empty, "inventory").replace("+psycopg", "")) as connection:
            assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)


async def test_a_folder_with_data_is_refused_by_its_name(copied: CopyFolder, folder: Path) -> None:
    (folder / "var" / "nats").mkdir(parents=True)
    (folder / "var" / "nats" / "nats.log").touch()
    with pytest.raises(UnusableBackupError, match="is not empty"):
        await restore(
            place.new_state(StateFolder(folder / "var"), nothing), copied.root, replicas=None, progress=quiet()
        )


async def with_manifest(copied: CopyFolder, folder: Path, **changed: object) -> CopyFolder:
    """The same backup, with another manifest and the right checksums."""
    other = CopyFolder(folder / "changed")
    await run("cp", "-r", str(copied.root), str(other.root))
    other.seal(Manifest.model_validate(copied.manifest().model_dump() | changed))
    return other


async def test_another_release_is_refused(copied: CopyFolder, source: Place, folder: Path) -> None:
    other = await with_manifest(copied, folder, release="9.9.9")
    with pytest.raises(UnusableBackupError, match=r"restore with release 9\.9\.9, then upgrade"):
        await restore(at(source), other.root, replicas=None, progress=quiet())


async def test_older_servers_are_refused(copied: CopyFolder, folder: Path) -> None:
    databases = [copy.model_dump() | {"postgres": 99} for copy in copied.manifest().databases]
    async with place.new_state(StateFolder(folder / "other"), nothing) as empty:
        other = await with_manifest(copied, folder, databases=databases)
        with pytest.raises(UnusableBackupError, match="PostgreSQL 99, this is 18"):
            await restore(at(empty), other.root, replicas=None, progress=quiet())
        other.seal(Manifest.model_validate(copied.manifest().model_dump() | {"nats_server": "99.1.0"}))
        with pytest.raises(UnusableBackupError, match=r"nats-server 99\.1\.0"):
            await restore(at(empty), other.root, replicas=None, progress=quiet())


async def test_logins_that_could_not_be_opened_are_refused(copied: CopyFolder, folder: Path) -> None:
    other = await with_manifest(copied, folder)
    await run("rm", "-r", str(other.keys))
    other.seal(copied.manifest())
    state = StateFolder(folder / "other")
    ensure_keys(state.keys)
    with pytest.raises(UnusableBackupError, match="has other keys"):
        await restore(place.new_state(state, nothing), other.root, replicas=None, progress=quiet())
    await run("cp", "-r", f"{copied.keys}/.", str(state.keys))
    assert await restore(place.new_state(state, nothing), other.root, replicas=None, progress=quiet()) == 0


async def test_a_password_is_in_no_argument_and_no_message(source: Place, folder: Path) -> None:
    database = RecordDatabase("inventory", source.databases["inventory"])
    password = read_password(source.databases["inventory"].password_file)
    assert password not in database._address
    with pytest.raises(OSError, match="pg_restore of the database inventory failed") as failed:
        database.load(folder / "missing.dump")
    assert password not in str(failed.value)
