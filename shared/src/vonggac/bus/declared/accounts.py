"""The NATS server's configuration: an account per service, and what crosses from one to another.

The chart's `files/nats/nats.conf` is `configuration()`, byte for byte; the embedded server, compose and the chart all
use it. What differs from place to place is included by it: `place.conf` (addresses and the store) and
`secrets/passwords.conf`.

A permission to publish binds the subject and not the reply subject (nats-server#8274): in the account of the streams,
whoever may ask JetStream anything may have its answer, a stored message among them, published on any subject. So the
streams are in an account that no service logs in to. Each service imports the subjects that it may publish to as
services, one by one; the server answers these on a subject that it makes up itself, and hands the answer over in the
service's own account, where no stream and no API listens. What is followed is imported as a stream, and has no reply.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vonggac.bus.declared.permissions import ANSWER_WITHIN_S, USERS, User, password_variable
from vonggac.events import subjects

STREAMS = "STREAMS"
"""The account that has JetStream. No service logs in to it: only who owns the streams, and could change them anyway."""
SYNC_INTERVAL_S = 10
"""JetStream acknowledges before it has synced to the disk: a power cut forgets at most so much."""
PASSWORDS_FILE = "secrets/passwords.conf"
PLACE_FILE = "place.conf"
_MANY_ANSWERS = (subjects.next_messages("", "").rstrip("."), subjects.direct_get(""))
"""How those subjects begin whose answer is more than one message."""
_BY_THE_SERVER = (subjects.republished("", "").rstrip("."), subjects.stored(""))


@dataclass(frozen=True, slots=True, order=True)
class Crossing:
    """A subject of the account `exporter` that the account `importer` may use."""

    exporter: str
    kind: str
    """`service`: the importer publishes to it; `stream`: it hears what is published there."""
    subject: str
    importer: str


def account_of(user: User) -> str:
    """Name the account. The streams' owner is where they are: a cluster's restore crosses no border of accounts."""
    return STREAMS if user.among_streams else user.name.upper()


def crossings(users: Sequence[User] = USERS) -> list[Crossing]:
    """All that is exported and imported. A subject belongs to who listens to it, else to the streams."""
    found: set[Crossing] = set()
    services = [user for user in users if account_of(user) != STREAMS]
    for user in services:
        own = account_of(user)
        for subject in user.publish:
            listeners = [account_of(other) for other in services if _listens(other, subject)] or [STREAMS]
            found |= {Crossing(account, "service", subject, own) for account in listeners if account != own}
        found |= {Crossing(STREAMS, "stream", subject, own) for subject in user.subscribe if _is_of_streams(subject)}
    return sorted(found)


def configuration(users: Iterable[User] = USERS) -> str:
    """Write the server's configuration file."""
    users = tuple(users)
    lines = [
        "# Generated from vonggac.bus.declared.accounts: edit that, then run `make generate`.",
        "# Used as it is by `make run`, the tests, compose and the chart. Beside it lie",
        f"#   {PLACE_FILE}  addresses, STORE_FOLDER and STORE_BYTES: where the streams lie and what they may take",
        f"#   {PASSWORDS_FILE}  a password of each user, readable by the server alone",
        f'include "{PLACE_FILE}"',
        f'include "{PASSWORDS_FILE}"',
        "",
        "jetstream {",
        "  store_dir: $STORE_FOLDER",
        "  max_file_store: $STORE_BYTES",
        f'  sync_interval: "{SYNC_INTERVAL_S}s"',
        "}",
        "max_payload: 1MB",
        "",
        "accounts {",
    ]
    members: defaultdict[str, list[User]] = defaultdict(list, {STREAMS: []})
    for user in users:
        members[account_of(user)].append(user)
    crossed = crossings(users)
    for account, logins in members.items():
        lines += _account(account, logins, crossed)
    return "\n".join([*lines, "}", ""])


def passwords(values: Mapping[str, str]) -> str:
    """`secrets/passwords.conf`: `values` are passwords by user, any characters."""
    return "".join(f"{password_variable(name)}: {quoted(value)}\n" for name, value in values.items())


def quoted(text: str) -> str:
    """As the server's configuration reads it back."""
    return json.dumps(text, ensure_ascii=False)


def _account(name: str, logins: Iterable[User], crossed: Iterable[Crossing]) -> Iterator[str]:
    yield f"  {name} {{"
    if name == STREAMS:
        yield "    jetstream: enabled"
    yield "    users: ["
    for user in logins:
        yield from _user(user)
    yield "    ]"
    exported: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in crossed:
        if each.exporter == name:
            exported[each.kind, each.subject].append(each.importer)
    yield from _block("exports", [_export(*what, importers) for what, importers in exported.items()])
    imported = [each for each in crossed if each.importer == name]
    yield from _block(
        "imports",
        [f'{{ {each.kind}: {{ account: {each.exporter}, subject: "{each.subject}" }} }}' for each in imported],
    )
    yield "  }"


def _export(kind: str, subject: str, importers: Iterable[str]) -> str:
    many = ", response_type: Stream" if kind == "service" and subject.startswith(_MANY_ANSWERS) else ""
    return f'{{ {kind}: "{subject}", accounts: [{", ".join(importers)}]{many} }}'


def _block(name: str, entries: Sequence[str]) -> Iterator[str]:
    if entries:
        yield f"    {name}: ["
        yield from (f"      {entry}" for entry in entries)
        yield "    ]"


def _user(user: User) -> Iterator[str]:
    yield "      {"
    yield f"        user: {user.name}"
    yield f"        password: ${user.password_variable}"
    yield "        permissions: {"
    yield from _allowed("publish", sorted(user.publish))
    yield from _allowed("subscribe", [f"{user.inbox}.>", *sorted(user.subscribe)])
    if user.answers:
        yield f'          allow_responses: {{ max: 1, expires: "{ANSWER_WITHIN_S}s" }}'
    yield "        }"
    yield "      }"


def _allowed(what: str, patterns: Iterable[str]) -> Iterator[str]:
    yield f"          {what}: {{"
    yield "            allow: ["
    yield from (f'              "{each}"' for each in patterns)
    yield "            ]"
    yield "          }"


def _is_of_streams(subject: str) -> bool:
    """Whether the server itself publishes it: what a stream has stored."""
    return subject.startswith(_BY_THE_SERVER)


def _listens(user: User, subject: str) -> bool:
    return any(covers(pattern, subject) for pattern in user.subscribe)


def covers(pattern: str, subject: str) -> bool:
    """Whether every subject that `subject` stands for fits `pattern`."""
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(tokens) >= len(wanted) and all(_same(*pair) for pair in zip(wanted[:-1], tokens, strict=False))
    return len(wanted) == len(tokens) and all(_same(*pair) for pair in zip(wanted, tokens, strict=True))


def _same(wanted: str, given: str) -> bool:
    return (wanted == "*" and given != ">") or wanted == given
