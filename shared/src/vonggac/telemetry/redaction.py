"""Hiding credentials: one function for every text that leaves a process.

Masking may only widen: what was hidden in one release stays hidden in the next.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "***"
SHORTEST = 4
"""Characters of a known secret that is taken out."""

# Where a value ends: at a space of ASCII. Other spaces (U+3000, U+00A0, …) may stand in a password.
_SPACE = r" \t\r\n\x0b\x0c"
# A bounded scheme: without the bound a long word would cost its length squared.
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
_BEARER = re.compile(rf"\b(?P<key>Bearer|Basic)\s+(?P<value>[^{_SPACE}\"\',;]{{8,}})")


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without user names, passwords, tokens or stream keys.

    Covers URL user info (also with an unescaped @ in the password), credentials in query or path pairs such as
    `/user=admin&password=x&channel=1`, Authorization headers and bearer tokens. `known`: secrets to take out wherever
    they stand, as a device may repeat them in its answer; shorter ones than SHORTEST would only point at themselves.
    """
    for secret in sorted({form for word in known for form in (word, quote(word, safe=""))}, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, REDACTED)
    text = _AUTHORIZATION.sub(rf"\g<key>{REDACTED}", text)
    text = _BEARER.sub(rf"\g<key> {REDACTED}", text)
    text = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", text)
    text = _QUOTED.sub(rf"\g<key>{REDACTED}", text)
    return _KEY_VALUE.sub(rf"\g<key>{REDACTED}", text)
