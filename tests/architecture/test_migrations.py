"""Migrations run beside the service: what they may not do at once, read from their files (decision 0119)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.migrations import SCRIPTS as INVENTORY
from reporting.migrations import SCRIPTS as REPORTING

FILES = sorted(path for scripts in (INVENTORY, REPORTING) for path in (scripts / "versions").glob("*.py"))
AT_ONCE = {
    "accounting_rule": "a row for each rule",
    "bus_position": "a row for each stream",
    "ledger_state": "one row",
    "register_reading": "a new table",
    "report_mark": "numbered in one order, and only added to",
    "republish_wanted": "a row for each noun",
    "urge_rule": "three rows, where there is none",
    "worker_life": "a row for each worker, in a new table",
}
"""Tables that one statement may fill or change, with the reason."""
_WRITES = re.compile(
    r"\b(?:update\s+([\w{}]+)\s+(?:(?:as\s+)?\w+\s+)?set\b|delete\s+from\s+([\w{}]+)|insert\s+into\s+([\w{}]+)[^;]*\bselect\b)",
    re.IGNORECASE,
)
_BUILDS = re.compile(r"\bcreate\s+(?:unique\s+)?index\s+(?!concurrently)", re.IGNORECASE)
_CHECKED = {
    "create_index",
    "create_foreign_key",
    "create_check_constraint",
    "create_unique_constraint",
    "create_primary_key",
}
_BREAKS = {"rename_table", "drop_table", "drop_column"}


def upgrade_part(source: str) -> list[ast.stmt]:
    """What a file has but for its downgrade."""
    return [each for each in ast.parse(source).body if getattr(each, "name", None) != "downgrade"]


def texts(nodes: list[ast.stmt]) -> Iterator[str]:
    """Every text, the parts of an f-string as one with `{}` for what is put in."""
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        else:
            waiting += ast.iter_child_nodes(node)


def calls(nodes: list[ast.stmt]) -> Iterator[tuple[str, ast.Call]]:
    for node in (found for each in nodes for found in ast.walk(each)):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def find_faults(source: str) -> list[str]:
    """What a migration does at once that would hold a table, or does not say."""
    nodes, faults = upgrade_part(source), list[str]()
    for text in texts(nodes):
        for match in _WRITES.finditer(text):
            table = next(filter(None, match.groups()))
            if ":id" not in text and table not in AT_ONCE:
                faults.append(f"{table}: a whole table in one statement: use Steps.run_in_batches")
        if _BUILDS.search(text):
            faults.append("an index without concurrently: use Steps.create_index")
    found = list(calls(nodes))
    made = {ast.dump(call.args[0]) for name, call in found if name in {"create_table", "_create"}}
    for name, call in found:
        if name in _CHECKED and ast.unparse(call.func).startswith("op.") and ast.dump(call.args[1]) not in made:
            faults.append(f"{name} on a table that exists: use Steps.create_index or Steps.add_constraint")
        if name == "add_column" and any(inner == "ForeignKey" for inner, _ in calls([ast.Expr(call)])):
            faults.append("a foreign key with its column: use Steps.add_constraint")
    breaks = {name for name, _ in found} & _BREAKS
    if breaks and "\nlowest_compatible = " not in source:
        faults.append(f"{', '.join(sorted(breaks))}: older releases do not work with it: say lowest_compatible")
    return faults


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_migrations_hold_no_table_for_long(path: Path) -> None:
    assert find_faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('op.execute("update cameras set name = upper(name)")', "run_in_batches"),
        ("op.execute(f'update {table} t set a = 1')", "run_in_batches"),
        ('op.execute("delete from inbox")', "run_in_batches"),
        ('op.execute("insert into a_history select * from a")', "run_in_batches"),
        ('op.execute("create unique index i on cameras (code)")', "create_index"),
        ('op.create_index("i", "cameras", ["code"])', "create_index"),
        ('op.create_foreign_key("f", "cameras", "units", ["a"], ["id"])', "add_constraint"),
        ('op.add_column("cameras", sa.Column("a", sa.Uuid(), sa.ForeignKey("units.id")))', "add_constraint"),
        ('op.drop_column("cameras", "name")', "lowest_compatible"),
    ],
)
def test_a_migration_that_holds_a_table_is_found(body: str, fault: str) -> None:
    assert [fault in found for found in find_faults(f"def upgrade():\n    {body}\n")] == [True]


@pytest.mark.parametrize(
    "body",
    [
        'op.create_table("t")\n    op.create_index("i", "t", ["a"])',
        'steps.run_in_batches("x", "update cameras set a = 1 where id = any(:ids)", table="cameras")',
        'op.execute("update bus_position set floor = 0")',
        'op.add_column("cameras", sa.Column("a", sa.Text()))',
    ],
)
def test_a_migration_in_steps_is_as_it_should_be(body: str) -> None:
    assert find_faults(f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    op.drop_column('a', 'b')\n") == []
