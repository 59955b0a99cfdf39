"""Hides credentials: one function for every text that leaves a process.

Masking may only widen: what was hidden in one release stays hidden in the next.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "***"
SHORTEST = 4
"""The shortest known secret that is hidden, in characters."""

# A value ends at an ASCII space. Other spaces (U+3000, U+00A0, …) may be part of a password.
_SPACE = r" \t\r\n\x0b\x0c"
# The scheme is bounded: otherwise a long word would cost its length squared.
_USERINFO = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]{{0,30}}://)(?P<userinfo>[^/?#{_SPACE}\"'<>]*)@", re.IGNORECASE)
_KEY_VALUE = re.compile(
    r"(?P<key>\b(?:user(?:name)?|pass(?:word|wd|phrase)?|pwd|secret|token|access_token|key|auth|streamid|signature)=)"
    rf"(?P<value>[^&;,{_SPACE}\"'<>/]+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"(?P<key>[\"']?(?:pass(?:word|wd|phrase)?|secret|token)[\"']?\s*[:=]\s*[\"'])(?P<value>[^\"']+)",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(r"(?P<key>(?:proxy-)?authorization\s*[:=]\s*)(?P<value>[^\r\n]+)", re.IGNORECASE)
# A % that was encoded again is %25.
_ENCODED = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")
_BEARER = re.compile(rf"\b(?P<key>Bearer|Basic)\s+(?P<value>[^{_SPACE}\"\',;]{{8,}})")


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without user names, passwords, tokens or stream keys.

    Covers URL user info (also with an unescaped @ in the password), credentials in query or path pairs such as
    `/user=admin&password=x&channel=1`, Authorization headers and bearer tokens. `known`: secrets to hide anywhere, as a
    device may repeat them in its answer, percent-encoded in any way; ones shorter than SHORTEST are left, because
    hiding would only point at them.
    """
    words = {word for word in known if len(word) >= SHORTEST}
    for word in sorted(words, key=len, reverse=True):
        text = _without(text, word)
    for form in sorted(words | {quote(word, safe="", errors="replace") for word in words}, key=len, reverse=True):
        text = text.replace(form, REDACTED)
    text = _AUTHORIZATION.sub(rf"\g<key>{REDACTED}", text)
    text = _BEARER.sub(rf"\g<key> {REDACTED}", text)
    text = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _QUOTED.sub(rf"\g<key>{REDACTED}", text)
    return _KEY_VALUE.sub(rf"\g<key>{REDACTED}", text)


def _without(text: str, secret: str) -> str:
    """`text` without `secret`, of which any part may be percent-encoded, more than once, in lower case or with +."""
    wanted, _ = _decoded(secret)
    if len(wanted) < SHORTEST:
        return text
    decoded, places = _decoded(text)
    kept, end, at = [], 0, decoded.find(wanted)
    while at >= 0:
        kept.append(text[end : places[at]])
        end = places[at + len(wanted)]
        at = decoded.find(wanted, at + len(wanted))
    return REDACTED.join([*kept, text[end:]])


def _decoded(text: str) -> tuple[bytes, list[int]]:
    """The bytes of `text` without percent-encoding, + as a space; the begin of each, and the end."""
    letters = [letter.encode("utf-8", "replace") for letter in text]
    decoded = b"".join(letters)
    places = [place for place, letter in enumerate(letters) for _ in letter]
    while _ENCODED.search(decoded):
        taken, kept, at = bytearray(), list[int](), 0
        for found in _ENCODED.finditer(decoded):
            taken += decoded[at : found.start()] + bytes([int(found[1], 16)])
            kept += places[at : found.start() + 1]
            at = found.end()
        decoded, places = bytes(taken) + decoded[at:], kept + places[at:]
    return decoded.replace(b" ", b"+"), [*places, len(text)]
