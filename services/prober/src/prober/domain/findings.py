"""From what was measured of a stream to what is wrong with it, and what could not be checked and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vonggac.events import Cause
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import LoginScheme, Media
from vonggac.media.sender_clock import NOT_A_CLOCK_S

LEAST_SPAN_S = 0.3
"""A shorter piece of the stream says nothing about its rates."""
LEAST_PICTURES = 2
TOO_SHORT = "too little of the stream was measured"
CLOCK_JUMPED = "the stream's timestamps jump and give no time"


@dataclass(frozen=True, slots=True)
class StreamThresholds:
    """From where on a figure is a finding."""

    min_fps: float = 5.0
    """Pictures a second that every camera must have."""
    fps_ratio: float = 0.6
    """Of the surveyed rate."""
    declared_fps_ratio: float = 0.4
    """Of the rate in the stream's own parameter sets: lower, since long exposure halves the rate of many at night."""
    min_bits_per_pixel: float = 0.002
    """Bits per pixel and picture: 104 kbit/s at 1080p25."""
    max_loss_percent: float = 1.0
    max_jitter_ms: float = 50.0
    max_clock_drift_s: float = 5.0
    """Beyond it recordings of two cameras no longer fit together."""


@dataclass(frozen=True, slots=True)
class StreamSeen:
    """What one probe measured beside `Media`: pictures and the seconds they span, and what the stream states of itself.

    `device_answered`: to ONVIF. `ended`: how the camera ended the session while it was measured, None when it did not.
    `stream`, `described`: codec, profile and size in the pictures and in the description, whose own words are `maker`.
    `habits`: digests of what one device writes, and few others, by what it is.
    `login_scheme`: how it asked for a login before it played; `device_asks_login`: for what ONVIF says of the device.
    `foreign_payload`: the RTP payload type of its video, when the description names others only.
    """

    media: Media
    pictures: int = 0
    span_s: float = 0.0
    declared_fps: float | None = None
    ended: str | None = None
    foreign_payload: int | None = None
    serial: str | None = None
    mac: str | None = None
    link_mac: str | None = None
    stream: str | None = None
    described: str | None = None
    maker: str | None = None
    habits: Mapping[str, str] = field(default_factory=dict)
    device_answered: bool = False
    login_scheme: LoginScheme | None = None
    device_asks_login: bool | None = None
    firmware: str | None = None
    rates_unknown: str = TOO_SHORT
    jitter_unknown: str = TOO_SHORT
    clock_unknown: str = "neither an RTCP sender report nor a Date came within the probe"
    device_unknown: str = "the device was not asked by ONVIF"


@dataclass(slots=True)
class Checks:
    """What was found. `details`: for people, in the order of `findings`; `not_checked`: reason by cause."""

    findings: list[Cause] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    not_checked: dict[Cause, str] = field(default_factory=dict)

    def add_finding(self, cause: Cause, detail: str) -> None:
        self.findings.append(cause)
        self.details.append(detail)

    def add(self, other: "Checks") -> None:
        self.findings += other.findings
        self.details += other.details
        self.not_checked |= other.not_checked


def check_stream(seen: StreamSeen, expected: ExpectedDevice | None, thresholds: StreamThresholds) -> Checks:
    """Every check of the stream; what was measured too little of is not checked."""
    checks = Checks()
    _check_rates(checks, seen, expected, thresholds)
    _check_arrival(checks, seen, thresholds)
    _check_clock(checks, seen, thresholds)
    _check_identity(checks, seen, expected)
    _check_end(checks, seen)
    if seen.foreign_payload is not None:
        what = f"the video has RTP payload type {seen.foreign_payload}, which the description does not name"
        checks.add_finding(Cause.PROTOCOL_ERROR, what)
    return checks


def _check_rates(
    checks: Checks, seen: StreamSeen, expected: ExpectedDevice | None, thresholds: StreamThresholds
) -> None:
    media = seen.media
    if media.fps is None or seen.pictures < LEAST_PICTURES or seen.span_s < LEAST_SPAN_S:
        checks.not_checked |= {Cause.LOW_FPS: seen.rates_unknown, Cause.LOW_BITRATE: seen.rates_unknown}
        return
    least = max(_least_rates(seen, expected, thresholds))
    if media.fps < least:
        checks.add_finding(Cause.LOW_FPS, f"{media.fps:g} pictures a second, expected at least {least:g}")
    if media.bitrate_kbps is None or not media.width or not media.height:
        checks.not_checked[Cause.LOW_BITRATE] = "the size of the picture is not known"
        return
    least_kbps = thresholds.min_bits_per_pixel * media.width * media.height * media.fps / 1000
    if media.bitrate_kbps < least_kbps:
        checks.add_finding(Cause.LOW_BITRATE, f"{media.bitrate_kbps:g} kbit/s, expected at least {least_kbps:.0f}")


def _least_rates(seen: StreamSeen, expected: ExpectedDevice | None, thresholds: StreamThresholds) -> Iterator[float]:
    if expected is not None and expected.fps is not None:
        # A camera that is set to 4 pictures a second on purpose is not slow.
        yield expected.fps * thresholds.fps_ratio
        return
    yield thresholds.min_fps
    if seen.declared_fps is not None:
        yield round(seen.declared_fps * thresholds.declared_fps_ratio, 2)


def _check_arrival(checks: Checks, seen: StreamSeen, thresholds: StreamThresholds) -> None:
    media = seen.media
    received, lost = media.packets_received or 0, media.packets_lost or 0
    if media.packets_lost is None or received + lost == 0:
        checks.not_checked[Cause.PACKET_LOSS] = "no packets were counted"
    elif (percent := 100 * lost / (received + lost)) > thresholds.max_loss_percent:
        checks.add_finding(Cause.PACKET_LOSS, f"{percent:.1f} % of the packets lost")
    if media.jitter_ms is None:
        checks.not_checked[Cause.JITTER] = seen.jitter_unknown
    elif media.jitter_ms > thresholds.max_jitter_ms:
        checks.add_finding(Cause.JITTER, f"pictures arrive unevenly, {media.jitter_ms:.0f} ms late on average")


def _check_clock(checks: Checks, seen: StreamSeen, thresholds: StreamThresholds) -> None:
    drift_s = seen.media.clock_drift_s
    if drift_s is None:
        checks.not_checked[Cause.CLOCK_DRIFT] = seen.clock_unknown
    elif abs(drift_s) > NOT_A_CLOCK_S:
        checks.not_checked[Cause.CLOCK_DRIFT] = "the camera's sender reports do not give the time of day"
    elif abs(drift_s) > thresholds.max_clock_drift_s:
        side = "ahead" if drift_s > 0 else "behind"
        checks.add_finding(Cause.CLOCK_DRIFT, f"the camera's clock is {abs(drift_s):.0f} s {side}")


def _check_identity(checks: Checks, seen: StreamSeen, expected: ExpectedDevice | None) -> None:
    if expected is None:
        checks.not_checked[Cause.IDENTITY_CHANGED] = "the survey noted nothing to compare with"
        return
    media = seen.media
    pairs = {
        "codec": (_lower(expected.codec), _lower(media.codec)),
        "width": (expected.width, media.width),
        "height": (expected.height, media.height),
        "serial number": (_serial(expected.serial), _serial(seen.serial)),
        "MAC": (_mac(expected.mac), _mac(seen.mac)),
    }
    differing = [
        f"{name} {there} in place of {wanted}"
        for name, (wanted, there) in pairs.items()
        if wanted is not None and there is not None and wanted != there
    ]
    unknown = [name for name, (wanted, there) in pairs.items() if wanted is not None and there is None]
    if differing:
        checks.add_finding(Cause.IDENTITY_CHANGED, ", ".join(differing))
    elif unknown:
        checks.not_checked[Cause.IDENTITY_CHANGED] = f"{' and '.join(unknown)}: {seen.device_unknown}"


def _check_end(checks: Checks, seen: StreamSeen) -> None:
    if seen.ended is not None:
        checks.add_finding(Cause.ENDED, f"{seen.ended} while the stream was measured")
    elif seen.pictures < LEAST_PICTURES or seen.span_s < LEAST_SPAN_S:
        checks.not_checked[Cause.ENDED] = seen.rates_unknown


def _lower(text: str | None) -> str | None:
    return text.lower() if text is not None else None


def _serial(text: str | None) -> str | None:
    """Labels and menus of one device differ in case and in spaces."""
    return "".join(text.split()).upper() if text is not None else None


def _mac(text: str | None) -> str | None:
    """Only its digits: the survey, ONVIF and labels write it differently."""
    return "".join(char for char in text.lower() if char in "0123456789abcdef") if text is not None else None
