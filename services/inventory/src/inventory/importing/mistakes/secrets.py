"""What in a cell looks like a login, wherever somebody typed it: it is neither shown nor stored in clear."""

import re

from vonggac.telemetry import redact

HIDDEN = "***"
"""Stands in an answer or a marked file for a secret."""
_MAY_HOLD = re.compile(r"[:@/=!#$%^&*+~?]")
_LOGIN_BEFORE_HOST = re.compile(r"(?<![^\s\"'<>(\[,;=/])[^\s\"'<>/:@]{1,64}:(?!//)[^\s\"'<>@]{1,128}@(?=\S)")
_USERS = "admin|administrator|root|user|operator|viewer|guest|onvif|supervisor|service|ubnt|default"
_LOGIN = re.compile(
    rf"(?:{_USERS})\s?[:/|]\s?\S{{3,}}|[\w.-]{{1,64}}:(?=\S*[^\W\d_])(?=\S*[\d!#$%^&*+~?])[^\s/]{{6,64}}",
    re.IGNORECASE,
)
"""A cell that is a name and a password, and nothing else."""
_PASSWORD = re.compile(r"(?=\S*[a-z])(?=\S*[0-9])(?=\S*[!@#$^*+~])[^\s/,;:()\[\]{}\"'=&?]{7,64}")
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


def was_hidden(text: str) -> bool:
    """Whether a cell comes from a marked file in which it, or a login in it, was hidden."""
    return text == HIDDEN or ("***" in text and _WAS_HIDDEN.search(text) is not None)
