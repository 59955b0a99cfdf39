"""The process: settings, migrations, serving, stopping."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import nats
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine, text

from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.tables import Base
from vonggac.auth.keys import JWKS, WORKERS_PUBLIC
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import migrate
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.settings import load_or_exit
from vonggac.testing import eventually


@pytest.fixture
def environment(database_url: str, keys_folder: Path, nats_server: NatsServer) -> dict[str, str]:
    given = {
        "DATABASE_URL": database_url,
        "NATS_URL": nats_server.url,
        "NATS_USER": "inventory",
        "NATS_PASSWORD_FILE": str(nats_server.password_file("inventory")),
        "JWKS_FILE": str(keys_folder / JWKS),
        "WORKERS_PUBLIC_KEY_FILE": str(keys_folder / WORKERS_PUBLIC),
        "PORT": str(free_port()),
    }
    return {**os.environ, **{f"VONGGAC_INVENTORY_{name}": value for name, value in given.items()}}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inventory", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    migrate(SCRIPTS, database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_missing_setting_is_named(environment: dict[str, str]) -> None:
    del environment["VONGGAC_INVENTORY_DATABASE_URL"]
    done = run(environment)
    assert done.returncode == 2
    assert done.stderr.startswith("setting VONGGAC_INVENTORY_DATABASE_URL: ")


def test_a_network_that_is_none_is_named(environment: dict[str, str]) -> None:
    environment["VONGGAC_INVENTORY_ALLOWED_NETWORKS"] = "10.0.0.0/8, 10.0.0.1/8"
    done = run(environment)
    assert done.returncode == 2
    assert "setting VONGGAC_INVENTORY_ALLOWED_NETWORKS" in done.stderr
    assert "10.0.0.1/8" in done.stderr


@pytest.mark.parametrize("text", ["10.0.0.0/8, fd00::/8", '["10.0.0.0/8", "fd00::/8"]'])
def test_networks_are_taken_in_both_forms(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    environment["VONGGAC_INVENTORY_ALLOWED_NETWORKS"] = text
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_or_exit(Settings).allowed_networks == ("10.0.0.0/8", "fd00::/8")


def test_a_key_file_that_is_no_key_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bad.pub").write_text("no key", "ascii")
    environment["VONGGAC_INVENTORY_WORKERS_PUBLIC_KEY_FILE"] = str(tmp_path / "bad.pub")
    done = run(environment)
    assert (done.returncode, "bad.pub" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


ADD_AGENCY = text(
    "insert into agencies (id, revision, created_at, changed_at, code, name, search, role) "
    "values (gen_random_uuid(), 1, now(), now(), 'A', 'Sở', 'so', 'operator')"
)


async def test_it_migrates_serves_and_stops_in_order(environment: dict[str, str], bus: Bus) -> None:
    assert bus.connected, "its streams are declared"
    address = f"http://127.0.0.1:{environment['VONGGAC_INVENTORY_PORT']}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inventory", env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with httpx.AsyncClient(base_url=address) as client:

        async def readiness() -> httpx.Response:
            try:
                return await client.get("/readyz")
            except httpx.TransportError:
                raise AssertionError(address) from None

        before = await eventually(readiness, within_s=30)
        assert (before.status_code, "inventory migrate" in before.json()["failures"]["migrations"]) == (503, True)
        migrated = await asyncio.to_thread(run, environment, "migrate")
        assert migrated.returncode == 0, migrated.stderr

        async def ready() -> bool:
            return (await readiness()).status_code == 200

        await eventually(ready)
        assert (await client.get("/livez")).status_code == 200
    process.send_signal(signal.SIGTERM)
    _, log = await process.communicate()
    assert process.returncode == 0
    assert b'"inventory_stopped"' in log
    again = await asyncio.to_thread(run, environment, "republish")
    assert again.stdout.startswith("0 messages")
    engine = create_engine(environment["VONGGAC_INVENTORY_DATABASE_URL"], poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(ADD_AGENCY)
    engine.dispose()
    again = await asyncio.to_thread(run, environment, "republish")
    assert again.stdout.startswith("1 messages"), "an agency is published as a camera is"


@pytest.mark.usefixtures("bus")
def test_dead_letters_are_listed_and_replayed_by_command(environment: dict[str, str], nats_server: NatsServer) -> None:
    assert run(environment, "dead-letters").stdout == ""
    asyncio.run(bury_a_heartbeat(nats_server.url))
    listed = run(environment, "dead-letters")
    assert listed.returncode == 0, listed.stderr
    assert "OBSERVATIONS/reporting_observations  observation.worker.w1  tried" in listed.stdout
    replayed = run(environment, "replay", "all")
    assert (replayed.returncode, replayed.stdout) == (0, "1  replayed on replay.observation.worker.w1\n"), (
        replayed.stderr
    )
    for command in (("dead-letters",), ("replay", "all")):
        none = run(environment, *command)
        assert (none.returncode, none.stdout) == (0, ""), none.stderr
        assert "there are no dead letters" in none.stderr
    assert "there is no dead letter 1" in run(environment, "replay", "1").stderr
    assert run(environment, "replay").returncode == 2


async def bury_a_heartbeat(url: str) -> None:
    client = await nats.connect(url)
    letter = subjects.dead_letter(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    headers = {"Vonggac-Subject": "observation.worker.w1", "Vonggac-Reason": "tried"}
    await client.jetstream().publish(letter, b"{}", headers=headers)
    await client.close()
