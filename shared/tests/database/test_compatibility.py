"""Tables of a newer release: a release runs with them only if they say so."""

import asyncio
from pathlib import Path

import pytest
from shared.tests.database.releases import PLAIN, release
from sqlalchemy import NullPool, create_engine, text

from vonggac.database import Database
from vonggac.database.compatibility import IncompatibleTablesError, lowest_compatible
from vonggac.database.migrations import migrate, tables_missing

BREAKS = "lowest_compatible = '0002'\n" + PLAIN.format(revision="0002")


async def find_fault(url: str, scripts: Path) -> str | None:
    database = Database(url)
    try:
        return await tables_missing(database, scripts, "migrate it")
    finally:
        await database.close()


def write(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def test_a_release_runs_with_newer_tables_that_say_so(tmp_path: Path, database_url: str) -> None:
    older = release(tmp_path / "older", "0001", "0002", _0002=BREAKS)
    newer = release(tmp_path / "newer", "0001", "0002", "0003", _0002=BREAKS)
    assert lowest_compatible(newer, "0003") == "0002"
    assert lowest_compatible(newer, "0001") == "0001"
    await asyncio.to_thread(migrate, newer, database_url)
    assert await find_fault(database_url, older) is None
    line = await asyncio.to_thread(migrate, older, database_url)
    assert line == "the tables are at 0003, of a newer release: nothing to do"


async def test_a_release_refuses_newer_tables_that_need_a_newer_one(tmp_path: Path, database_url: str) -> None:
    older = release(tmp_path / "older", "0001")
    newer = release(tmp_path / "newer", "0001", "0002", "0003", _0002=BREAKS)
    await asyncio.to_thread(migrate, newer, database_url)
    fault = (
        "the tables are at 0003 and work with releases from 0002 on, and this one is at 0001: "
        "start the newer release again, or restore the backup that was made before it"
    )
    assert await find_fault(database_url, older) == fault
    with pytest.raises(IncompatibleTablesError, match="from 0002 on, and this one is at 0001"):
        await asyncio.to_thread(migrate, older, database_url)


@pytest.mark.parametrize(
    "silent",
    [
        "update alembic_version set version_num = 'ffff', lowest_compatible = null",
        "alter table alembic_version drop column lowest_compatible; update alembic_version set version_num = 'ffff'",
    ],
)
async def test_a_release_refuses_unknown_tables_that_say_nothing(
    tmp_path: Path, database_url: str, silent: str
) -> None:
    scripts = release(tmp_path / "this", "0001")
    await asyncio.to_thread(migrate, scripts, database_url)
    write(database_url, silent)
    fault = await find_fault(database_url, scripts)
    assert fault is not None
    assert fault.startswith("the tables are at ffff, which this release (0001) does not know, and they do not say")
    assert "restore the backup" in fault
    with pytest.raises(IncompatibleTablesError, match="ffff"):
        await asyncio.to_thread(migrate, scripts, database_url)


async def test_tables_of_a_release_that_said_nothing_say_it_after_the_next_migration(
    tmp_path: Path, database_url: str
) -> None:
    scripts = release(tmp_path / "this", "0001", "0002")
    await asyncio.to_thread(migrate, scripts, database_url)
    write(database_url, "alter table alembic_version drop column lowest_compatible")
    assert await find_fault(database_url, scripts) is None
    await asyncio.to_thread(migrate, scripts, database_url)
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.scalar(text("select lowest_compatible from alembic_version")) == "0001"
    engine.dispose()
