"""Tables of earlier states: the columns of a thing, without secrets, with the time in which they were on record.

Triggers of the database write them (inventory.migrations.history), so that no write can leave them out.
"""

from sqlalchemy import Boolean, Column, DateTime, Index, Table

from inventory.storage.tables.base import Thing

SEALED = "sealed_"
_NEVER_NULL = frozenset({"id", "code"})
"""Any other column may have come later than the state."""


def shown_flag(column: str) -> str:
    """Name the column shown for a sealed one: `sealed_secret` is shown as `has_secret`."""
    return "has_" + column.removeprefix(SEALED)


def history_of(kind: type[Thing]) -> Table:
    """Build the table `<table>_history`: a row per state of a thing, from `recorded_from` until before `recorded_to`.

    The present state is in it, with an empty `recorded_to`.
    """
    name = f"{kind.__tablename__}_history"
    columns = [
        Column(shown_flag(column.name), Boolean())
        if column.name.startswith(SEALED)
        else Column(column.name, column.type, primary_key=column.name == "id", nullable=column.name not in _NEVER_NULL)
        for column in kind.__table__.columns
    ]
    table = Table(
        name,
        kind.metadata,
        *columns,
        Column("recorded_from", DateTime(timezone=True), primary_key=True),
        Column("recorded_to", DateTime(timezone=True)),
    )
    Index(f"ix_{name}_present", table.c.id, unique=True, postgresql_where=table.c.recorded_to.is_(None))
    if "code" in table.c:
        Index(f"ix_{name}_code", table.c.code, table.c.id)
    return table
