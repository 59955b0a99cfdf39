"""Hides credentials: one function for every text that leaves a process.

Masking may only widen: what was hidden in one release stays hidden in the next.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

from vonggac.net.address_secrets import BESIDE_A_NAME, SECRET_NAME, SECRET_NAME_IN_WORDS, folded

REDACTED = "***"
SHORTEST = 4
"""The shortest known secret that is hidden, in characters."""

# A value ends at an ASCII space. Other spaces (U+3000, U+00A0, …) may be part of a password.
_SPACE = r" \t\r\n\x0b\x0c"
# The scheme is bounded: otherwise a long word would cost its length squared.
_USERINFO = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]{{0,30}}://)(?P<userinfo>[^/?#{_SPACE}\"'<>]*)@", re.IGNORECASE)
# A password with a / or a space that was not percent-encoded: what stands behind the colon is no port.
_ODD_USERINFO = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]{0,30}://)(?P<userinfo>[^/?#\s@:\"'<>\[]{0,64}:"
    r"(?![0-9]{1,5}(?:[/?#\s]|\Z))[^\r\n\"'<>]{0,128})@",
    re.IGNORECASE,
)
_VALUE = rf"(?P<value>[^&;,{_SPACE}\"'<>/]+)"
_KEY_VALUE = re.compile(rf"(?P<key>(?:\b(?:user(?:name)?|streamid)|{SECRET_NAME})=){_VALUE}", re.IGNORECASE)
_KEY_COLON = re.compile(rf"(?P<key>{SECRET_NAME_IN_WORDS}:){_VALUE}", re.IGNORECASE)
_QUOTED = re.compile(rf"(?P<key>{SECRET_NAME}\s*[:=]\s*\\?[\"'])(?P<value>[^\"'\\]+)", re.IGNORECASE)
_ELEMENT = re.compile(rf"(?P<key><[a-z:]{{0,20}}{SECRET_NAME}(?:\s[^<>]{{0,200}})?>)(?P<value>[^<]+)", re.IGNORECASE)
# With a letter and a digit: "token: Zk81" is a secret, and "token: send one" is a sentence.
_IN_WORDS = re.compile(
    rf"(?P<key>{SECRET_NAME_IN_WORDS}[\w-]{{0,20}} {{0,3}}[:=]\s{{1,3}})"
    rf"(?P<value>(?=[^{_SPACE}]*[0-9])(?=[^{_SPACE}]*[^\W\d])[^{_SPACE}\"'<>]{{4,}})",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(?P<key>\b(?:set-)?cookie:\s*)(?P<value>[^\r\n]+)", re.IGNORECASE)
_LOGIN_AT_HOST = re.compile(
    rf"(?<![^{_SPACE}\"'<>(\[,;=])(?P<value>[^{_SPACE}\"'<>/:@]{{1,64}}:[^{_SPACE}\"'<>/@]{{1,128}})"
    r"@(?=[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|\[[0-9a-f:.]+\]|localhost\b)",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]{4,}")
_BESIDE_A_NAME = tuple(re.compile(rf"(?P<key>{before}){_VALUE}", re.IGNORECASE) for before in BESIDE_A_NAME)
_AUTHORIZATION = re.compile(r"(?P<key>(?:proxy-)?authorization\s*[:=]\s*)(?P<value>[^\r\n]+)", re.IGNORECASE)
# A % that was encoded again is %25.
_ENCODED = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")
_LINK = re.compile(r"\bvgl_[\w-]{8,}")
_CALENDAR = re.compile(rf"(?P<key>/calendar-feeds/[^/{_SPACE}]+/)(?P<value>[^?#{_SPACE}\"'<>]+)")
_BEARER = re.compile(rf"\b(?P<key>Bearer|Basic)\s+(?P<value>[^{_SPACE}\"\',;]{{8,}})")
_BEARER_ANY_CASE = re.compile(
    rf"\b(?P<key>(?i:bearer|basic))\s+(?P<value>(?=[^{_SPACE}]*[0-9])[^{_SPACE}\"\',;]{{8,}})"
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without user names, passwords, tokens or stream keys.

    Covers URL user info (also with an unescaped @ in the password), credentials in query or path pairs such as
    `/user=admin&password=x&channel=1` under every name of `vonggac.net.address_secrets`, percent-encoded or not,
    Authorization headers, bearer tokens, and addresses of calendar feeds that carry a password. `known`: secrets to
    hide anywhere, as a device may repeat them in its answer, percent-encoded in any way and in capitals; ones shorter
    than SHORTEST are left, because hiding would only point at them.
    """
    words = {word for word in known if len(word) >= SHORTEST}
    for word in sorted(words, key=len, reverse=True):
        text = _without(text, word)
    for form in sorted(words | {quote(word, safe="", errors="replace") for word in words}, key=len, reverse=True):
        text = re.sub(re.escape(form), REDACTED, text, flags=re.IGNORECASE)
    text = _AUTHORIZATION.sub(rf"\g<key>{REDACTED}", text)
    text = _CALENDAR.sub(rf"\g<key>{REDACTED}", text)
    text = _BEARER_ANY_CASE.sub(rf"\g<key> {REDACTED}", _BEARER.sub(rf"\g<key> {REDACTED}", text))
    text = _JWT.sub(REDACTED, text)
    text = _LINK.sub(REDACTED, text)
    text = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
    if "@" in text:
        text = _ODD_USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
        text = _LOGIN_AT_HOST.sub(f"{REDACTED}@", text)
    if "<" in text:
        text = _ELEMENT.sub(rf"\g<key>{REDACTED}", text)
    # Most texts have no = and no quotation marks: they are read fewer times.
    if '"' in text or "'" in text:
        text = _QUOTED.sub(rf"\g<key>{REDACTED}", text)
    for pattern in (_KEY_VALUE, *_BESIDE_A_NAME) if "=" in text else _BESIDE_A_NAME[1:]:
        text = pattern.sub(rf"\g<key>{REDACTED}", text)
    for pattern in (_KEY_COLON, _IN_WORDS, _COOKIE) if ":" in text or "=" in text else ():
        text = pattern.sub(rf"\g<key>{REDACTED}", text)
    return _without_encoded_names(text) if "%" in text else text


def _without_encoded_names(text: str) -> str:
    """`text` without what follows a name of a secret that is percent-encoded itself, in letters of any alphabet."""
    decoded, places = _unquoted(text)
    plain, begins = "", list[int]()
    at = 0
    for sign in decoded.decode("utf-8", "surrogateescape"):
        letters = folded(sign)
        plain += letters
        begins += [places[at]] * len(letters)
        at += len(sign.encode("utf-8", "surrogateescape"))
    begins.append(len(text))
    hidden = sorted(
        (begins[found.start("value")], begins[found.end("value")])
        for pattern in (_KEY_VALUE, _KEY_COLON, _QUOTED, *_BESIDE_A_NAME)
        for found in pattern.finditer(plain)
        if found["value"] != REDACTED
    )
    kept, end = [], 0
    for begin, behind in hidden:
        if begin >= end:
            kept += [text[end:begin], REDACTED]
        end = max(end, behind)
    return "".join([*kept, text[end:]])


def _without(text: str, secret: str) -> str:
    """`text` without `secret`, of which any part may be percent-encoded, more than once, in lower case or with +."""
    wanted = _decoded(secret)[0].lower()
    if len(wanted) < SHORTEST:
        return text
    decoded, places = _decoded(text)
    decoded = decoded.lower()
    kept, end, at = [], 0, decoded.find(wanted)
    while at >= 0:
        kept.append(text[end : places[at]])
        end = places[at + len(wanted)]
        at = decoded.find(wanted, at + len(wanted))
    return REDACTED.join([*kept, text[end:]])


def _decoded(text: str) -> tuple[bytes, list[int]]:
    """As `_unquoted`, with + as a space."""
    decoded, places = _unquoted(text)
    return decoded.replace(b" ", b"+"), places


def _unquoted(text: str) -> tuple[bytes, list[int]]:
    """Decode the bytes of `text` without percent-encoding; the begin of each, and the end."""
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
    return decoded, [*places, len(text)]
