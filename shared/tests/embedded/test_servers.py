"""The embedded servers: real ones, which keep what they were given."""

from pathlib import Path

import psycopg
import pytest

from vonggac.database import Database
from vonggac.embedded import NatsServer, PostgresServer, ServerError, free_port
from vonggac.embedded.nats import MEMORY

pytestmark = pytest.mark.server


def rows(server: PostgresServer, statement: str) -> int:
    with psycopg.connect(server.url("facts").replace("+psycopg", "")) as connection:
        return connection.execute(statement.encode()).rowcount


def test_postgres_keeps_its_data_and_wants_its_password(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = PostgresServer(tmp_path / "postgres", free_port())
    server.start()
    try:
        server.create_database("facts")
        server.create_database("facts")
        rows(server, "create table fact (id int)")
        rows(server, "insert into fact values (1742)")
        server.stop()
        server.start()
        assert rows(server, "select * from fact") == 1
        wrong = server.url("facts").replace("+psycopg", "").replace("vonggac:", "vonggac:x")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)
    finally:
        server.stop()


def test_a_cluster_that_was_half_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    server = PostgresServer(tmp_path / "postgres", free_port(), durable=False)
    with monkeypatch.context() as patched:
        patched.setattr("vonggac.embedded.postgres.INITIALISE_WITHIN_S", 0.0)
        with pytest.raises(ServerError, match="initdb did not end within 0 s"):
            server.start()
    assert not server.data.exists()
    # As after kill -9 in the middle of it.
    (unfinished := server.folder / "data.unfinished").mkdir(exist_ok=True)
    (unfinished / "PG_VERSION").write_text("18\n", "utf-8")
    server.start()
    try:
        server.create_database("facts")
        assert rows(server, "create table fact (id int)") == -1
        assert not unfinished.exists()
    finally:
        server.stop()


def test_nats_saves_memory_near_its_limit(nats_server: NatsServer) -> None:
    assert nats_server.process is not None
    environment = Path(f"/proc/{nats_server.process.pid}/environ").read_bytes().split(b"\0")
    assert f"GOMEMLIMIT={MEMORY}".encode() in environment


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    first = NatsServer(tmp_path / "first", free_port())
    first.start()
    try:
        second = NatsServer(tmp_path / "second", first.port)
        (tmp_path / "second").mkdir()
        (tmp_path / "second" / "jetstream").write_text("a file where a folder must be", "utf-8")
        second.port = free_port()
        with pytest.raises(ServerError, match="nats ended with status"):
            second.start()
        second.stop()
    finally:
        first.stop()


async def test_a_database_that_is_away_is_said_without_its_password() -> None:
    database = Database(f"postgresql+psycopg://u:S3cret!@127.0.0.1:{free_port()}/x")
    reason = await database.check()
    assert reason is not None
    assert "PostgreSQL" in reason
    assert "S3cret!" not in reason
    await database.close()


async def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)
    assert await database.check() is None
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("create table fact (id int)")
    with pytest.raises(RuntimeError):
        await _insert_and_fail(database)
    async with database.transaction() as session:
        connection = await session.connection()
        assert (await connection.exec_driver_sql("select count(*) from fact")).scalar_one() == 0
    await database.close()


async def _insert_and_fail(database: Database) -> None:
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql("insert into fact values (1)")
        raise RuntimeError
