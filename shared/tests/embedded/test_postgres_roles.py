"""PostgreSQL as a platform has it: services are plain roles, each with its own database and password."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from vonggac.database.engine import database_address, with_password
from vonggac.embedded import PostgresServer, free_port
from vonggac.embedded.postgres import CONNECTIONS_PER_ROLE
from vonggac.settings.passwords import read_password, write_private

pytestmark = pytest.mark.server
ODD = "5% q'uo\"t@ :/?#$\\é "


@pytest.fixture(scope="module")
def server(servers_folder: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(servers_folder / "roles", free_port(), durable=False)
    server.start()
    for name in ("inventory", "reporting"):
        server.create_role(name)
        server.create_database(name, name)
    yield server
    server.stop()


def connect(server: PostgresServer, database: str, role: str) -> psycopg.Connection[tuple[object, ...]]:
    password = read_password(server.password_file(role))
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user=role, password=password, dbname=database, autocommit=True
    )


@pytest.mark.parametrize("role", ["inventory", "reporting"])
@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to program 'true'",
        "create temp table t (line text); copy t from program 'id'",
        "create temp table t (line text); copy t from '/etc/passwd'",
        "select pg_read_file('/etc/passwd')",
        "create role another superuser",
        "create database another",
        "alter system set log_connections = on",
        "set role vonggac",
        "select rolpassword from pg_authid",
    ],
)
def test_a_service_can_do_nothing_outside_its_database(server: PostgresServer, role: str, statement: str) -> None:
    with connect(server, role, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_connections_of_a_role_are_bounded_and_leave_the_other_its_own(server: PostgresServer) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS_PER_ROLE):
            stack.enter_context(connect(server, "inventory", "inventory"))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            connect(server, "inventory", "inventory")
        with connect(server, "reporting", "reporting") as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_service_owns_its_database(server: PostgresServer) -> None:
    with connect(server, "inventory", "inventory") as connection:
        connection.execute("create extension btree_gist")
        connection.execute("create table thing (id int)")
        connection.execute("drop table thing")


@pytest.mark.parametrize(("role", "database"), [("inventory", "reporting"), ("reporting", "inventory")])
def test_a_service_cannot_open_the_other_ones_database(server: PostgresServer, role: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(server, database, role)


def test_what_an_earlier_release_made_as_superuser_becomes_the_services(server: PostgresServer) -> None:
    server.create_database("old")
    server.create_role("old")
    for statement in (
        "create extension btree_gist",
        "create table fact (id serial primary key)",
        "create sequence number",
        "create view facts as select id from fact",
        "insert into fact values (1742)",
    ):
        server._psql("old", statement)
    server.create_database("old", "old")
    with connect(server, "old", "old") as connection:
        connection.execute("alter table fact add column said text")
        connection.execute("insert into fact (said) values ('by the service')")
        connection.execute("select nextval('number')")
        connection.execute("alter view facts rename to all_facts")


def test_a_password_of_any_characters_logs_in(server: PostgresServer) -> None:
    file = server.password_file("odd")
    write_private(file, ODD + "\n")
    server.create_role("odd")
    server.create_database("odd", "odd")

    class Settings:
        database_url = SecretStr(server.address("odd", "odd"))
        database_password_file = file

    engine = create_engine(database_address(Settings()), poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("select current_user")).scalar_one() == "odd"
    assert with_password(server.address("odd", "odd"), ODD).password == ODD


def test_another_password_in_the_file_is_the_one_that_counts(server: PostgresServer) -> None:
    server.create_role("changed")
    write_private(server.password_file("changed"), "another one")
    server.create_role("changed")
    server.create_database("changed", "changed")
    connect(server, "changed", "changed").close()


def test_passwords_are_readable_by_their_owner_alone(server: PostgresServer) -> None:
    for path in (server.folder, *server.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_no_password_stands_in_the_servers_log(server: PostgresServer) -> None:
    log = server.log.read_text("utf-8", "replace")
    for role in (None, "inventory", "reporting"):
        assert server.password_file(role).read_text("utf-8").strip() not in log


def test_a_password_for_tests_is_checked_in_one_round(server: PostgresServer) -> None:
    with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
        stored = connection.execute("select rolpassword from pg_authid where rolcanlogin").fetchall()
    assert len(stored) >= 3
    assert {str(password).partition(":")[0] for (password,) in stored} == {"SCRAM-SHA-256$1"}
