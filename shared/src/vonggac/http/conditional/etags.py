"""Entity tags (RFC 9110 §8.8.3): a record's is its revision, a list's is weak and of its body."""

import re
from hashlib import blake2b

_TAG = re.compile(r'\s*(?P<weak>W/)?(?P<tag>"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
ANY = "*"


def etag_of(revision: int) -> str:
    """Build the strong tag of a record."""
    return f'"{revision}"'


def weak_etag_of(body: bytes) -> str:
    """Compute the tag of an answer that has no revision of its own."""
    return f'W/"{blake2b(body, digest_size=12).hexdigest()}"'


def parse_etags(header: str) -> list[str]:
    """Parse the tags of If-Match or If-None-Match, weak ones with their `W/`; `*` is a tag of its own.

    Raises ValueError for what is none, as a revision without its quotation marks is.
    """
    if header.strip() == ANY:
        return [ANY]
    tags: list[str] = []
    position = 0
    while position < len(header):
        match = _TAG.match(header, position)
        if match is None:
            msg = 'no entity tag: write it with its quotation marks, as the ETag header has it, like "3"'
            raise ValueError(msg)
        tags.append((match["weak"] or "") + match["tag"])
        position = match.end()
    return tags


def matches_weakly(tags: list[str], present: str) -> bool:
    """If-None-Match's comparison: `W/` does not count."""
    return tags == [ANY] or present.removeprefix("W/") in [tag.removeprefix("W/") for tag in tags]


def matches_strongly(tags: list[str], present: str) -> bool:
    """If-Match's comparison: a weak tag never matches."""
    return tags == [ANY] or (not present.startswith("W/") and present in tags)
