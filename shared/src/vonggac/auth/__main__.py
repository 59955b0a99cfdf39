"""`python -m vonggac.auth init --keys DIR` makes the key files; `… token --keys DIR --role ROLE` prints a token."""

import argparse
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from vonggac.auth.keys import ensure_keys, token_issuer
from vonggac.auth.rights import Role
from vonggac.auth.scope import AccessScope


def main() -> None:
    """Exit status 0 when done, 1 when the folder cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vonggac.auth", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make the key files that are missing")
    token = commands.add_parser("token", help="print a token signed with the folder's key")
    for command in (init, token):
        command.add_argument("--keys", type=Path, required=True, help="folder of the key files")
    token.add_argument("--role", action="append", required=True, choices=[role.value for role in Role])
    token.add_argument(
        "--scope",
        action="append",
        metavar="KIND:ID",
        help="what the token is for: agency:ID, unit:ID (with those beneath it) or facility:ID, ids as inventory has "
        "them; several add up (default: the whole province)",
    )
    token.add_argument(
        "--agency", type=UUID, metavar="ID", help="the agency that the caller speaks for, as inventory has its id"
    )
    token.add_argument("--subject", default="admin", help="who the token is for (default: admin)")
    token.add_argument("--name", default="", help="full name of who it is for: papers and pages show it")
    token.add_argument("--post", default="", help="their post, shown after the name")
    token.add_argument("--hours", type=float, default=12.0, help="valid for this long (default: 12)")
    arguments = parser.parse_args()
    try:
        if arguments.command == "init":
            ensure_keys(arguments.keys)
            return
        roles = frozenset(Role(name) for name in arguments.role)
        issuer = token_issuer(arguments.keys)
        scope = AccessScope.parse(arguments.scope) if arguments.scope is not None else None
        valid_for = timedelta(hours=arguments.hours)
        who = {"subject": arguments.subject, "roles": roles, "scope": scope, "agency": arguments.agency}
        print(issuer.issue(**who, name=arguments.name, post=arguments.post, valid_for=valid_for))
    except (OSError, ValueError) as error:
        raise SystemExit(f"keys in {arguments.keys}: {error}") from None


main()
