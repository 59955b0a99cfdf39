"""`python -m inventory` serves; `… migrate` updates the tables; `… republish` publishes everything again.

`… dead-letters` lists what no retry could save; `… replay SEQUENCE` (or `all`) publishes it again.
`… check cameras` names the mistakes of a file on standard input, as JSON, without any settings or database.

A command imports what it needs: the services of a platform wait for `migrate`, which needs no application.
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from nats.errors import Error as NatsError

from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from vonggac.bus import Bus
from vonggac.bus.dead_letters import DeadLetter, DeadLetters, NotReplayableError
from vonggac.database import Database, database_address, migrate_or_exit
from vonggac.settings import load_or_exit, log_unknown_settings
from vonggac.telemetry import configure_logging
from vonggac.telemetry.garbage_collection import map_large_blocks, share_one_heap

CONNECT_WITHIN_S = 10.0
_COMMANDS = ("serve", "migrate", "republish", "dead-letters", "replay", "check")
_WITH_ARGUMENT = {"replay": "the number of a dead letter, or `all`", "check": "the noun of its file, e.g. cameras"}


def main() -> None:
    """Exit status: 0 after a stop, 1 when a file or the database is missing or a task dies, 2 for a bad setting."""
    parser = argparse.ArgumentParser(prog="python -m inventory", description=__doc__)
    parser.add_argument("command", nargs="?", choices=list(_COMMANDS), default="serve")
    parser.add_argument("argument", nargs="?", help="of `replay` a dead letter's number, or `all`; of `check` a noun")
    parser.add_argument(
        "--known",
        action="append",
        default=[],
        metavar="NOUN=CODE,CODE",
        help="of `check`: codes that rows may refer to; of a noun without them every code is taken",
    )
    arguments = parser.parse_args()
    command = arguments.command
    if (command in _WITH_ARGUMENT) != (arguments.argument is not None):
        parser.error(f"`{command}` needs {_WITH_ARGUMENT.get(command, 'no argument')}")
    if command == "check":
        sys.exit(_check(arguments.argument, arguments.known))
    settings = load_or_exit(Settings)
    configure_logging(service="inventory", level=settings.log_level, log_format=settings.log_format)
    log_unknown_settings(Settings)
    if command == "migrate":
        migrate_or_exit(SCRIPTS, settings)
    elif command == "republish":
        print(f"{asyncio.run(_republish(settings))} messages are in the outbox; a running inventory publishes them")
    elif command in {"dead-letters", "replay"}:
        asyncio.run(_with_dead_letters(settings, arguments.argument))
    else:
        _serve(settings)


def _check(path: str, known: Sequence[str]) -> int:
    """Print the mistakes of the file on standard input; exit status 1 when it has any, 2 for an unknown noun."""
    from inventory.domain.days import VIETNAM
    from inventory.importing.job import check_file
    from inventory.nouns.registry import NOUNS

    noun = next((noun for noun in NOUNS if noun.path == path), None)
    if noun is None:
        print(f"there is no noun {path}; there are {', '.join(noun.path for noun in NOUNS)}", file=sys.stderr)
        return 2
    pairs = (each.partition("=") for each in known)
    codes = {name: [code for code in listed.split(",") if code] for name, _, listed in pairs}
    today = datetime.now(VIETNAM).date()
    errors = asyncio.run(check_file(sys.stdin.buffer.read(), noun, known=codes, today=today))
    print(json.dumps({"errors": [error.model_dump(mode="json") for error in errors]}, ensure_ascii=False))
    return 1 if errors else 0


def _serve(settings: Settings) -> None:
    # What a start makes stays: searching it for garbage takes a seventh of its time. Serving enables it again.
    gc.disable()
    share_one_heap()
    map_large_blocks()
    from inventory.app import create_app
    from vonggac.http.server import serve_or_exit

    serve_or_exit("inventory", create_app, settings)


async def _with_dead_letters(settings: Settings, replayed: str | None) -> None:
    """List them, or replay the one or `all`; exit status 1 when one cannot be replayed or NATS is away."""
    found = refused = 0
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            bus = await Bus.connect(settings, name="inventory-dead-letters")
        try:
            async for letter in _chosen(DeadLetters(bus), replayed):
                found += 1
                line = f"{letter.sequence}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.stream}/{letter.durable}  "
                line += f"{letter.subject}  {letter.reason}"
                if replayed is not None:
                    try:
                        line = f"{letter.sequence}  replayed on {await DeadLetters(bus).replay(letter)}"
                    except NotReplayableError as error:
                        refused += 1
                        line = f"{letter.sequence}  not replayed: {error}"
                print(line)
        finally:
            await bus.close()
    except (NatsError, TimeoutError, OSError) as error:
        raise SystemExit(f"NATS does not answer: {type(error).__name__} {error}") from None
    if not found:
        print("there are no dead letters", file=sys.stderr)
    if refused:
        raise SystemExit(1)


async def _chosen(letters: DeadLetters, replayed: str | None) -> AsyncIterator[DeadLetter]:
    if replayed not in {None, "all"}:
        letter = await letters.get(int(replayed)) if replayed.isdigit() else None
        if letter is None:
            raise SystemExit(f"there is no dead letter {replayed}")
        yield letter
        return
    async for letter in letters.present():
        yield letter


async def _republish(settings: Settings) -> int:
    import inventory.nouns.registry  # noqa: F401 # names what is published of each noun
    from inventory.storage.upkeep.republishing import republish

    database = Database(database_address(settings))
    try:
        return await republish(database)
    finally:
        await database.close()


if __name__ == "__main__":
    main()
