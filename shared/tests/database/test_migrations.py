"""Which revision of the tables a release works with, tried with the scripts of two releases."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from shared.tests.database.releases import release
from sqlalchemy import make_url

from vonggac.database import Database, migrate_or_exit
from vonggac.database.migrations import is_outdated, migrate, tables_missing
from vonggac.embedded import free_port


@pytest.mark.parametrize(
    ("present", "outdated"),
    [
        pytest.param(None, True, id="no table"),
        pytest.param("0001", True, id="of the release before"),
        pytest.param("0002", False, id="as they should be"),
        pytest.param("0003", False, id="of the next release, which has added to them"),
    ],
)
def test_a_release_works_with_its_own_tables_and_those_of_the_next(
    tmp_path: Path, present: str | None, outdated: bool
) -> None:
    assert is_outdated(release(tmp_path / "this", "0001", "0002"), present) == outdated


@dataclass(frozen=True)
class Address:
    database_url: SecretStr
    database_password_file: Path | None


@pytest.mark.parametrize("file", [None, "missing.password"])
def test_what_is_missing_is_said_in_one_line_without_the_password(file: str | None, tmp_path: Path) -> None:
    url = SecretStr(f"postgresql+psycopg://u:S3cret!@127.0.0.1:{free_port()}/d")
    with pytest.raises(SystemExit) as stopped:
        migrate_or_exit(tmp_path, Address(url, None if file is None else tmp_path / file))
    said = str(stopped.value.code)
    assert said.startswith("the tables are not migrated: ")
    assert (file or "refused") in said
    assert "S3cret!" not in said
    assert "sqlalche.me" not in said


def test_an_older_release_leaves_newer_tables_as_they_are(tmp_path: Path, database_url: str) -> None:
    older, newer = release(tmp_path / "older", "0001"), release(tmp_path / "newer", "0001", "0002")
    assert migrate(older, database_url) is None
    assert migrate(newer, database_url) is None
    assert migrate(older, database_url) == "the tables are at 0002, of a newer release: nothing to do"
    assert migrate(newer, database_url) is None


async def test_tables_are_missing_only_where_postgresql_says_so(tmp_path: Path, database_url: str) -> None:
    scripts = release(tmp_path / "this", "0001")
    database, away = Database(database_url), Database(make_url(database_url).set(port=1))
    try:
        assert await tables_missing(database, scripts, "migrate it") == "the tables are missing: run `migrate it`"
        await asyncio.to_thread(migrate, scripts, database_url)
        assert await tables_missing(database, scripts, "migrate it") is None
        assert await tables_missing(away, scripts, "migrate it") == "not known: PostgreSQL does not answer"
    finally:
        await database.close()
        await away.close()
