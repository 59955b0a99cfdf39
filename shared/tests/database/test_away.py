"""Which errors of PostgreSQL pass, and which are the statement's own."""

from collections.abc import Sequence
from typing import cast

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from vonggac.database import Database, is_away


@pytest.mark.parametrize(
    "statements",
    [
        ("set transaction read only", "create table kept (id int)"),
        ("select from no_such_table",),
        ("create temporary table kept (id int)", "select kept.code from kept"),
        ("create temporary table kept (id int)", "select kept.mode from kept"),
    ],
    ids=["read-only", "not migrated", "without a column", "without a column that is called like an aggregate"],
)
async def test_a_database_that_cannot_take_it_for_now_is_away(database_url: str, statements: Sequence[str]) -> None:
    assert is_away(await _failed(database_url, *statements))


async def test_a_statement_that_is_wrong_by_itself_is_not(database_url: str) -> None:
    assert not is_away(await _failed(database_url, "select 'x'::int"))


async def test_what_the_driver_says_by_itself_is_away_as_well(database_url: str) -> None:
    assert is_away(await _failed_copy(database_url, "disk_full"))
    assert not is_away(await _failed_copy(database_url, "check_violation"))


async def _failed_copy(database_url: str, condition: str) -> psycopg.Error:
    """What a COPY raises, which goes past SQLAlchemy."""
    database = Database(database_url)
    refuse = f"begin raise exception using errcode = '{condition}'; end"
    try:
        async with database.transaction() as session:
            connection = await (await session.connection()).get_raw_connection()
            driver = cast("psycopg.AsyncConnection[object]", connection.driver_connection)
            await driver.execute("create temporary table copied (id int)")
            await driver.execute(f"create function pg_temp.refuse() returns trigger language plpgsql as $${refuse}$$")
            await driver.execute(
                "create trigger refuse before insert on copied for each row execute function pg_temp.refuse()"
            )
            async with driver.cursor() as cursor, cursor.copy("copy copied (id) from stdin") as copy:
                await copy.write_row((1,))
    except psycopg.Error as error:
        return error
    finally:
        await database.close()
    raise AssertionError


async def _failed(database_url: str, *statements: str) -> SQLAlchemyError:
    database = Database(database_url)
    try:
        async with database.transaction() as session:
            for statement in statements:
                await session.execute(text(statement))
    except SQLAlchemyError as error:
        return error
    finally:
        await database.close()
    raise AssertionError
