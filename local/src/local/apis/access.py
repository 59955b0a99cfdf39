"""The token with which a command calls the services."""

from datetime import timedelta
from pathlib import Path

from vonggac.auth import Role
from vonggac.auth.keys import token_issuer

VALID_FOR = timedelta(hours=12)


def admin_token(keys: Path) -> str:
    """Sign a province lead's token with the key in `keys`. Raises OSError when there is none."""
    return token_issuer(keys).issue(subject="admin", roles=frozenset({Role.PROVINCE_LEAD}), valid_for=VALID_FOR)


def approver_token(keys: Path) -> str:
    """Sign a token of a second person, who approves what the admin wrote. Raises OSError when there is no key."""
    return token_issuer(keys).issue(subject="approver", roles=frozenset({Role.DECIDER}), valid_for=VALID_FOR)
