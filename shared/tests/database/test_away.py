"""Which errors of PostgreSQL pass, and which are the statement's own."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from vonggac.database import Database, is_away


@pytest.mark.parametrize(
    "statements",
    [("set transaction read only", "create table kept (id int)"), ("select from no_such_table",)],
    ids=["read-only", "not migrated"],
)
async def test_a_database_that_cannot_take_it_for_now_is_away(database_url: str, statements: Sequence[str]) -> None:
    assert is_away(await _failed(database_url, *statements))


async def test_a_statement_that_is_wrong_by_itself_is_not(database_url: str) -> None:
    assert not is_away(await _failed(database_url, "select 'x'::int"))


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
