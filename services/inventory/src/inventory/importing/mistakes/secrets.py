"""What in a cell looks like a login, wherever somebody typed it: it is neither shown nor stored in clear."""

import re
from collections.abc import Iterable

from vonggac.telemetry import redact

HIDDEN = "***"
"""Stands in an answer or a marked file for a secret."""
SHORTEST, SHORTEST_WITHIN = 4, 6
"""Characters of a secret that is searched for as a whole cell, and within one."""
_MAY_HOLD = re.compile(r"[:@/=!#$%^&*+~?]")
_LOGIN_BEFORE_HOST = re.compile(r"(?<![^\s\"'<>(\[,;=/])[^\s\"'<>/:@]{1,64}:(?!//)[^\s\"'<>@]{1,128}@(?=\S)")
_USERS = "admin|administrator|root|user|operator|viewer|guest|onvif|supervisor|service|ubnt|default"
_LOGIN = re.compile(
    rf"(?:{_USERS})\s?[:/|]\s?\S{{3,}}|[\w.-]{{1,64}}:(?=\S*[^\W\d_])(?=\S*[\d!#$%^&*+~?])[^\s/]{{6,64}}",
    re.IGNORECASE,
)
"""A cell that is a name and a password, and nothing else."""
_PASSWORD = re.compile(r"(?=\S*[a-z])(?=\S*[0-9])(?=\S*[!@#$^*+~])[^\s/,;:()\[\]{}\"'=&?]{7,64}")
_PLAIN_PASSWORD = re.compile(r"(?=\S*[^\W\d_])(?=\S*\d)[^\s./:,;()\[\]-]{6,64}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_OF_ADDRESS = re.compile(r"://[^/?#\s@:]*:([^\s\"'<>]+)@")
_EMAIL = re.compile(r"[^\s@]+@[\w-]+(?:\.[\w-]+)+")
_OF_DEVICE = re.compile(r"[0-9A-Fa-f:.\[\]%-]+(?::[0-9]{1,5})?")
"""A MAC or IP address, perhaps with a port."""
_PLACEHOLDER = re.compile(r"=\{(username|password)\}")
_WAS_HIDDEN = re.compile(r"\*\*\*@|=\*\*\*")


def hide_secrets(text: str) -> str:
    """`text` without logins, passwords and tokens, as far as they can be told from what belongs in a register."""
    if not _MAY_HOLD.search(text):
        return text
    shown = _redact_but_placeholders(text) if "={" in text else redact(text)
    if "@" in shown:
        shown = _LOGIN_BEFORE_HOST.sub(f"{HIDDEN}@", shown)
    whole = shown.strip()
    if _OF_DEVICE.fullmatch(whole) or _EMAIL.fullmatch(whole):
        return shown
    return HIDDEN if _LOGIN.fullmatch(whole) or _PASSWORD.fullmatch(whole) else shown


def _redact_but_placeholders(text: str) -> str:
    """No value begins with the sign that stands in for a bracket here."""
    shown = redact(_PLACEHOLDER.sub(r"=;\1;", text))
    return shown.replace("=;username;", "={username}").replace("=;password;", "={password}")


def may_be_password(text: str) -> bool:
    """Whether a cell in which no such word belongs may be a password: letters and digits in one word."""
    return _PLAIN_PASSWORD.fullmatch(text) is not None and _HEXADECIMAL.fullmatch(text) is None


def credentials_in(texts: Iterable[str], addresses: Iterable[object]) -> frozenset[str]:
    """List what must not be repeated of a row: the texts of its secret columns, the passwords in its addresses."""
    known = {text.strip() for text in texts}
    for address in addresses:
        known.update(_OF_ADDRESS.findall(str(address)))
    return frozenset(word for word in known if len(word) >= SHORTEST and word != HIDDEN)


def repeats(text: str, known: Iterable[str]) -> bool:
    """Whether a cell is one of these secrets, or holds one."""
    return any(word == text or (len(word) >= SHORTEST_WITHIN and word in text) for word in known)


def was_hidden(text: str) -> bool:
    """Whether a cell comes from a marked file in which it, or a login in it, was hidden."""
    return text == HIDDEN or ("***" in text and _WAS_HIDDEN.search(text) is not None)
