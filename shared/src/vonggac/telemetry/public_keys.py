"""For how long this process has failed to read the public keys by which it knows its callers."""

_FAILS_SINCE: dict[str, float] = {}
"""By source (a file or an address): the first failure after the last success, by the steady clock."""


def note_reading(source: str, *, failed: bool, now_s: float) -> None:
    """Note how a reading of `source` ended."""
    if failed:
        _FAILS_SINCE.setdefault(source, now_s)
    else:
        _FAILS_SINCE.pop(source, None)


def unread_for_s(now_s: float) -> float:
    """Return the seconds since the first failure of what has failed longest; 0 where the last readings succeeded."""
    return max((now_s - since for since in _FAILS_SINCE.values()), default=0.0)
