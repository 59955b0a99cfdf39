"""What one device writes in its RTSP answers, and few others do.

Two cameras of one model and settings differ in it. No more than digests leave this module: some devices write there
what they were sent.
"""

import hashlib
import re

from vonggac.rtsp.wire.sdp import SessionDescription, attribute

ORIGIN, SERVER, WORDS = "origin of the description", "Server header", "words of the description"
PARAMETER_SETS = "parameter sets"
HABITS = (ORIGIN, SERVER, WORDS, PARAMETER_SETS)
DIGITS = 16
"""Hexadecimal, of a digest."""
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")


def digest_habits(
    sdp: SessionDescription | None = None, server: str | None = None, parameter_sets: bytes | None = None
) -> dict[str, str]:
    """Digests of who opened the session (o=), the Server header, the description's words and the parameter sets.

    By what they are of; without those that were not seen.
    """
    texts = {SERVER: server}
    if sdp is not None:
        # Numbers of the session and its address come after the name.
        texts |= {ORIGIN: next((value.partition(" ")[0] for kind, value in sdp.lines if kind == "o"), None)}
        texts |= {WORDS: words_of(describe_maker(sdp))}
    seen = {name: text.encode() for name, text in texts.items() if text}
    if parameter_sets is not None:
        seen[PARAMETER_SETS] = parameter_sets
    return {name: hashlib.sha256(seen[name]).hexdigest()[:DIGITS] for name in HABITS if name in seen}


def describe_maker(sdp: SessionDescription) -> str:
    """How the device describes itself: the name of the session and the tool that wrote it."""
    return f"{sdp.name} {attribute(sdp.attributes, 'tool') or ''}"


def words_of(text: str | None) -> str | None:
    """Its words in lower case and in order, without numbers: at most 200 characters; None without any."""
    return " ".join(sorted({word.lower() for word in _WORD.findall(text or "")}))[:200] or None
