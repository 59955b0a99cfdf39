"""Whether a connection was done as the plan says ("đúng phương án", R15): what was agreed, beside what was observed.

What nobody observed deviates from nothing: it is listed as not observed. Transport `auto` is agreed with either.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

FPS_WAVERS = 0.1
"""A measured frame rate within this share of the agreed one, or within one picture, is the agreed one."""
RATE_EXCEEDS = 1.1
"""A bit rate above so many times the agreed bandwidth deviates."""


class Field(StrEnum):
    """What is compared."""

    CODEC = "codec"
    SIZE = "size"
    FPS = "fps"
    MAKE = "make"
    BANDWIDTH = "bandwidth"
    TRANSPORT = "transport"
    DESTINATION = "destination"
    PLAN = "plan"


class Verdict(StrEnum):
    """Of one comparison."""

    AS_AGREED = "as_agreed"
    DEVIATES = "deviates"
    NOT_OBSERVED = "not_observed"
    NOT_AGREED = "not_agreed"
    """The plan, or what the survey noted, says nothing of it."""


class Compared(NamedTuple):
    """One thing of one camera, as text with its unit in the name of the field: pixels, pictures a second, kbit/s."""

    field: Field
    agreed: str | None
    observed: str | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the agreed plan and the survey say of a camera. `planned` False: no agreed plan names the camera."""

    planned: bool
    excepted: bool
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bandwidth_kbps: int | None = None
    transport: str | None = None
    destinations: frozenset[str] = frozenset()
    make: str | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What prober and forwarder saw. `delivered`: destinations with a delivery that shall run; `connected`: to which
    of them it certainly is, or certainly is not; the others are unknown."""

    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bitrate_kbps: float | None = None
    transport: str | None = None
    delivered: frozenset[str] = frozenset()
    connected: frozenset[str] = frozenset()
    not_connected: frozenset[str] = frozenset()
    make: str | None = None
    """As a scan read it, or as it stands in the register."""


def compare(agreed: Agreed, observed: Observed) -> list[Compared]:
    """Everything that is compared, in the order of Field; destinations one by one."""
    result = [
        _plain(Field.CODEC, _folded(agreed.codec), _folded(observed.codec)),
        _plain(Field.SIZE, _size(agreed.width, agreed.height), _size(observed.width, observed.height)),
        _fps(agreed.fps, observed.fps),
        *([] if agreed.make is None else [_make(agreed.make, observed.make)]),
        _bandwidth(agreed.bandwidth_kbps, observed.bitrate_kbps),
        _transport(agreed.transport, observed.transport),
        *[_destination(code, agreed, observed) for code in sorted(agreed.destinations | observed.delivered)],
    ]
    if not agreed.planned and (observed.connected or (agreed.excepted and observed.delivered)):
        basis = "exception" if agreed.excepted else "none"
        result.append(Compared(Field.PLAN, "agreed plan", basis, Verdict.DEVIATES))
    return result


def _plain(field: Field, agreed: str | None, observed: str | None) -> Compared:
    verdict = _missing(agreed, observed) or (Verdict.AS_AGREED if agreed == observed else Verdict.DEVIATES)
    return Compared(field, agreed, observed, verdict)


def _missing(agreed: object, observed: object) -> Verdict | None:
    if agreed is None:
        return Verdict.NOT_AGREED
    return Verdict.NOT_OBSERVED if observed is None else None


def _fps(agreed: float | None, observed: float | None) -> Compared:
    verdict = _missing(agreed, observed)
    if agreed is not None and observed is not None:
        wavers = abs(observed - agreed) <= max(1.0, FPS_WAVERS * agreed)
        verdict = Verdict.AS_AGREED if wavers else Verdict.DEVIATES
    assert verdict is not None
    return Compared(Field.FPS, _number(agreed), _number(observed), verdict)


def _make(agreed: str | None, observed: str | None) -> Compared:
    """Compare makes: one is written with a model or an owner, so one that is in the other is the same."""
    verdict = _missing(agreed, observed)
    if agreed is not None and observed is not None:
        one, other = _letters(agreed), _letters(observed)
        verdict = Verdict.AS_AGREED if one in other or other in one else Verdict.DEVIATES
    assert verdict is not None
    return Compared(Field.MAKE, agreed, observed, verdict)


def _letters(make: str) -> str:
    return "".join(sign for sign in make.casefold() if sign.isalnum())


def _bandwidth(agreed: int | None, observed: float | None) -> Compared:
    verdict = _missing(agreed, observed)
    if agreed is not None and observed is not None:
        verdict = Verdict.AS_AGREED if observed <= agreed * RATE_EXCEEDS else Verdict.DEVIATES
    assert verdict is not None
    return Compared(Field.BANDWIDTH, _number(agreed), _number(observed), verdict)


def _transport(agreed: str | None, observed: str | None) -> Compared:
    if agreed == "auto" and observed is not None:
        return Compared(Field.TRANSPORT, agreed, observed, Verdict.AS_AGREED)
    return _plain(Field.TRANSPORT, agreed, observed)


def _destination(code: str, agreed: Agreed, observed: Observed) -> Compared:
    planned = code if code in agreed.destinations else None
    if code in observed.connected:
        if not agreed.planned:
            return Compared(Field.DESTINATION, None, code, Verdict.NOT_AGREED)
        return Compared(Field.DESTINATION, planned, code, Verdict.AS_AGREED if planned else Verdict.DEVIATES)
    if planned is None:
        # Not agreed, and nothing is known to arrive there.
        return Compared(Field.DESTINATION, None, None, Verdict.NOT_AGREED)
    if code not in observed.delivered or code in observed.not_connected:
        return Compared(Field.DESTINATION, code, None, Verdict.DEVIATES)
    return Compared(Field.DESTINATION, code, None, Verdict.NOT_OBSERVED)


def _folded(codec: str | None) -> str | None:
    """H.265 and HEVC are one codec, however they are written."""
    if codec is None:
        return None
    plain = codec.lower().replace(".", "").replace("-", "")
    return {"hevc": "h265", "avc": "h264"}.get(plain, plain)


def _size(width: int | None, height: int | None) -> str | None:
    return None if width is None or height is None else f"{width}x{height}"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
