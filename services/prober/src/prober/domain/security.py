"""What probes observe of a camera's security, as it is published: anew where it changed, and a few times a day."""

from datetime import datetime, timedelta

from prober.domain.findings import StreamSeen
from vonggac.events.prober import CameraObservedV1, LoginScheme, SecuritySigns, Verdict

AGAIN_AFTER = timedelta(hours=6)
"""What stays as it is gets a new time so often."""
_LOGINS: dict[str | None, LoginScheme] = {"none": "none", "basic": "basic", "digest": "digest"}


def parse_login_scheme(word: str | None) -> LoginScheme | None:
    """None for a word that is not known here."""
    return _LOGINS.get(word)


def add_signs(fact: CameraObservedV1, seen: StreamSeen | None, before: CameraObservedV1 | None) -> SecuritySigns | None:
    """Add what this probe shows; `before`: the last one. Signs of another revision say nothing of this one.

    A camera that does not play shows nothing: a login that it asked for may be that of another device.
    """
    same = before is not None and before.camera_revision == fact.camera_revision
    known = before.security if before is not None and same else None
    if seen is None or fact.verdict is not Verdict.UP:
        return known
    signs, now = known or SecuritySigns(), fact.observed_at
    if seen.login_scheme is not None and (seen.login_scheme != signs.login_scheme or _is_old(signs.stream_at, now)):
        signs = signs.model_copy(update={"stream_at": now, "login_scheme": seen.login_scheme})
    device = {"device_asks_login": seen.device_asks_login, "firmware": seen.firmware}
    changed = any(getattr(signs, name) != value for name, value in device.items())
    if set(device.values()) != {None} and (changed or _is_old(signs.device_at, now)):
        signs = signs.model_copy(update={"device_at": now, **device})
    return signs if signs != SecuritySigns() else None


def _is_old(seen_at: datetime | None, now: datetime) -> bool:
    return seen_at is None or now - seen_at >= AGAIN_AFTER
