"""What in an address is a secret, by the name that stands before it or by its looks: one list for all.

Inventory refuses such an address, and redaction hides what follows such a name wherever a text leaves a process.
Whoever adds a spelling adds it here.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

_LONG = (
    r"pass(?:word|wd|phrase|code)|password|pwd|secret|token|signature|credentials?|mat[_-]?khau"
    r"|(?:api|app|stream|access|auth|private|shared|licen[cs]e)[_.-]?key|session[_.-]?id"
)
"""Anywhere in a name: `streamKey`, `X-Access-Token`, `rtsp_password1`."""
_SHORT = r"pass|pw|psw|psk|key|auth|authorization|sig|sign|hmac|jwt|pin|otp"
"""As a word of a name: `pw`, `admin_pw`, `auth.key`, and not `keyframe` or `design`."""
_BEFORE = r"(?<![A-Za-z0-9])"
SECRET_NAME = rf"(?:{_BEFORE}(?:{_SHORT})\]?|(?:{_LONG})[A-Za-z0-9_.\]-]{{0,20}})"
"""A regular expression for the end of a name before its `=`, to be used without regard to case."""
SECRET_NAME_IN_WORDS = rf"(?:{_LONG})"
"""The same where a colon follows: short names do so in ordinary text."""
_PARAMETER = re.compile(rf"(?P<name>{SECRET_NAME})[=:](?P<value>[^&;,/?#]*)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_PARTS = re.compile(r"[/?&=;]")
_PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
_LEAST_KEY = 12
_LEAST_CHANGES = 3
_DEEPEST = 5


def secret_parameters(target: str) -> Iterator[tuple[str, str]]:
    """Name and value of what looks like a secret in a path and query, however often percent-encoded."""
    for found in _PARAMETER.finditer(percent_decoded(target)):
        yield found["name"], found["value"]


def percent_decoded(text: str) -> str:
    """`text` with percent-encoding undone until nothing is left of it: some servers undo it more than once."""
    for _ in range(_DEEPEST):
        decoded = unquote(text, errors="replace")
        if decoded == text:
            break
        text = decoded
    return text


def key_like_segments(target: str) -> list[str]:
    """Parts of a path and query that look like a stream key: long, of letters and digits in no order that words have.

    Placeholders in braces are none.
    """
    return [part for part in _PARTS.split(percent_decoded(target)) if _is_key_like(_PLACEHOLDER.sub("", part))]


def _is_key_like(segment: str) -> bool:
    parts = [part for part in _SEPARATORS.split(segment) if part]
    changes = sum(_changes(one, other) for part in parts for one, other in pairwise(part))
    return sum(map(len, parts)) >= _LEAST_KEY and changes >= _LEAST_CHANGES


def _changes(one: str, other: str) -> bool:
    """Whether something else begins: digits, letters, or a capital inside a word."""
    return one.isdigit() != other.isdigit() or (one.islower() and other.isupper())
