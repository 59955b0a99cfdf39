"""squawk reads every statement that the migrations of inventory and reporting run: `python -m tests.migrations`.

Some are made from what is on record (history.py), so they are taken from a run over a real PostgreSQL, revision by
revision. What squawk says is either mended or stands in exceptions.toml with its reason; an exception that nothing
needs any more is a mistake too. Exit status 1 when there is one.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event

from inventory.migrations import SCRIPTS as INVENTORY
from reporting.migrations import SCRIPTS as REPORTING
from vonggac.database.migrations import config
from vonggac.embedded import PostgresServer, free_port

HERE = Path(__file__).parent
SCRIPTS = {"inventory": INVENTORY, "reporting": REPORTING}
EVERYWHERE = "everywhere"
"""The table of exceptions.toml for all revisions."""
_READS = re.compile(
    r"\s*(select|show|savepoint|release)\b|.*\b(alembic_version|migration_step)\b", re.IGNORECASE | re.DOTALL
)
_PARAMETER = re.compile(r"%\(\w+\)s(?:::\w+(?:\[\])?)?")


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The statements that run meanwhile, with their transactions, but for those that only read and alembic's own."""
    statements: list[str] = []

    def record(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if _READS.match(statement):
            return
        alone = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if not alone and not is_open(statements):
            statements.append("begin;")
        statements.append(_PARAMETER.sub("null", statement.strip().rstrip(";")) + ";")

    def end(_connection: Connection) -> None:
        if is_open(statements):
            statements.append("commit;")

    for name, listener in (("before_cursor_execute", record), ("commit", end)):
        event.listen(Engine, name, listener)
    try:
        yield statements
    finally:
        for name, listener in (("before_cursor_execute", record), ("commit", end)):
            event.remove(Engine, name, listener)


def is_open(statements: list[str]) -> bool:
    """Whether a transaction has begun that has not ended."""
    return statements.count("begin;") > statements.count("commit;")


def statements_of(server: PostgresServer, service: str) -> Iterator[tuple[str, str]]:
    """Each revision in its order, and the SQL that it runs."""
    server.create_database(service)
    settings = config(SCRIPTS[service], server.url(service))
    revisions = [script.revision for script in ScriptDirectory(str(SCRIPTS[service])).walk_revisions()]
    for revision in reversed(revisions):
        with recorded() as statements:
            command.upgrade(settings, revision)
        yield revision, "\n".join(statements) + "\n"


def violations(path: Path) -> list[dict[str, Any]]:
    """What squawk says of a file."""
    squawk = Path(sys.executable).parent / "squawk"
    options = ("--reporter", "json", "--pg-version", "17")
    ran = subprocess.run([squawk, *options, path], capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(ran.stdout or "[]")
    return found


def main() -> None:
    """Prints each mistake."""
    excepted: dict[str, dict[str, str]] = tomllib.loads((HERE / "exceptions.toml").read_text("utf-8"))
    needed: set[tuple[str, str]] = set()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="vonggac-migrations-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = PostgresServer(folder / "postgres", free_port())
        server.start()
        try:
            for service in SCRIPTS:
                for revision, sql in statements_of(server, service):
                    path, key = folder / f"{service}_{revision}.sql", f"{service} {revision}"
                    path.write_text(sql, "utf-8")
                    for found in violations(path):
                        rule = str(found["rule_name"])
                        needed |= {(EVERYWHERE, rule), (key, rule)}
                        if rule not in excepted[EVERYWHERE] and rule not in excepted.get(key, {}):
                            wrong += 1
                            line = sql.splitlines()[int(found["line"])] if found.get("line") is not None else ""
                            print(f"{key}: {rule}: {found['message']}\n    {line.strip()[:110]}")
        finally:
            server.stop()
    for key, rules in excepted.items():
        for rule in rules:
            if (key, rule) not in needed:
                wrong += 1
                print(f"exceptions.toml: nothing needs {key} {rule} any more")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
