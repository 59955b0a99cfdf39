"""Whether a destination plays what the camera gave: keyframes read back, held against the forwarder's history.

One keyframe read back that is bit for bit one that lately came from the camera proves it. That none is alike proves the
contrary only when one had to be: both sides were watched for longer than the longest delay allowed. So does a
destination that goes on for so long without any new keyframe, while the camera gives them: it stands still.

A picture that the camera gives again proves no destination: whichever of its comings it was, the destination may play
it for ever, and with any timestamps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from prober.domain.delay import BURST_OVER_S, CACHE_COUNTS, CACHED_FROM_S, PAUSE_S, Newest, is_pause, live_delay_s
from prober.domain.silence import BURST_S, Timed, find_comings, is_noted_until, is_over, silence_at_end
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

LEAST_KEYFRAMES = 2
"""Read back, and noted by the forwarder, before a difference counts."""
AGAIN = "the destination plays one picture again and again, and it is none that the camera gives now"
TAKEN_OVER = "another forwarder took the camera meanwhile"
OURS = frozenset(
    {
        Cause.ADDRESS_NOT_ALLOWED,
        Cause.SECRET_UNREADABLE,
        Cause.SECRET_MOVED,
        Cause.CODEC_UNSUPPORTED,
        Cause.TRANSPORT_UNSUPPORTED,
        Cause.WORKER_LAGGED,
        Cause.INTERNAL_ERROR,
    }
)
"""Causes that lie with us, not with the destination: nothing could be checked."""
SAYS_NOTHING = OURS | {Cause.SESSION_LIMIT}
"""Nor does a centre that has no session left, perhaps since people view it live, say that it received nothing."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One keyframe read back; `hash` and `rtp_timestamp` as in KeyframeNote, `arrived_at` its last packet."""

    hash: str
    arrived_at: datetime
    rtp_timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a read-back did not begin or ended early. Without a cause it lies with nobody.

    `rest_s`: the login may be tried again after that long.
    """

    cause: Cause | None
    detail: str
    rest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One read-back until now, keyframes in the order of their coming."""

    keyframes: Sequence[Keyframe] = ()
    failure: Failure | None = None
    newest: Newest | None = None

    @property
    def timed(self) -> list[Timed]:
        """Of each keyframe its hash and arrival."""
        return [(keyframe.hash, keyframe.arrived_at) for keyframe in self.keyframes]


@dataclass(frozen=True, slots=True)
class Noted:
    """What the forwarder noted. `same_holder`: it was the one that was asked to note every keyframe.

    `too_large`: keyframes come from the camera, and the forwarder can keep none of them.
    """

    notes: Sequence[KeyframeNote] = ()
    same_holder: bool = True
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was known of a delivery before. `since`: when its session began; a picture that came from the camera before
    does not prove it. `proven_at`: when the picture came from the camera that its last read-back found."""

    since: datetime | None = None
    proven_at: datetime | None = None


NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_delay_s`: an older picture is a mismatch. `first_within_s`: how long the first keyframe may take, and the
    forwarder's first note. `settle_s`: how long to go on after `max_delay_s` for a difference to be certain. `rare_s`:
    how long to wait for a camera that gives no keyframe at all meanwhile."""

    max_delay_s: float
    first_within_s: float
    settle_s: float
    rare_s: float = 0.0

    @property
    def longest_s(self) -> float:
        """The longest that a read-back takes."""
        return max(self.max_delay_s + self.first_within_s + self.settle_s, self.rare_s + self.first_within_s)

    @property
    def impatient(self) -> "Limits":
        """The same for whoever does not wait for a camera that gives keyframes rarely."""
        return replace(self, rare_s=0.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one read-back, with its reason. `still_since`: the camera has repeated its picture since then.

    `stands_still`: nothing new came for as long as the camera gave new pictures. `paused_since`: of a match, before
    which pictures that the camera gave from then on never came.
    """

    verdict: VerificationVerdict
    cause: Cause | None = None
    detail: str | None = None
    captured_at: datetime | None = None
    delay_s: float | None = None
    rest_s: float | None = None
    still_since: datetime | None = None
    stands_still: bool = False
    paused_since: datetime | None = None


def decide(
    seen: Seen, noted: Noted, *, asked_at: datetime, now: datetime, limits: Limits, earlier: Earlier = NOTHING_EARLIER
) -> Finding | None:
    """Decide the verdict, None when it takes more keyframes. `asked_at`: when the forwarder began to note every one."""
    fresh = [note for note in noted.notes if note.captured_at >= asked_at]
    if not fresh and (now - asked_at).total_seconds() >= limits.first_within_s:
        # A camera that gives keyframes so rarely has no other picture that could be shown.
        earlier = replace(earlier, proven_at=None)
    finding, old, repeats = _recognised(seen, noted, now=now, limits=limits, earlier=earlier)
    if finding is not None and finding.verdict is VerificationVerdict.VERIFIED:
        paused = _paused(finding, seen, fresh, asked_at=asked_at, now=now, limits=limits)
        return replace(finding, paused_since=asked_at if paused else None)
    if finding is None and noted.same_holder and not repeats:
        finding = _different(seen, fresh, asked_at=asked_at, now=now, limits=limits)
    if finding is None and noted.same_holder:
        finding = _stands_still(seen, noted, fresh, asked_at=asked_at, now=now, limits=limits)
    if finding is not None:
        return finding
    if seen.failure is not None:
        return failed(seen.failure, keyframes=len(seen.keyframes))
    if old is not None:
        return old if (now - asked_at).total_seconds() >= limits.longest_s else None
    return _out_of_time(seen, noted, fresh, asked_at=asked_at, now=now, limits=limits)


def _recognised(
    seen: Seen, noted: Noted, *, now: datetime, limits: Limits, earlier: Earlier
) -> tuple[Finding | None, Finding | None, bool]:
    """Find by the pictures that the camera gave: a verdict, one for the end, and whether the camera repeats them."""
    comings = find_comings(noted.notes)
    repeated: list[Keyframe] = []
    old: Finding | None = None
    for keyframe in reversed(seen.keyframes):
        if keyframe.hash not in comings:
            continue
        first, note = comings[keyframe.hash]
        delay_s = max(0.0, (keyframe.arrived_at - note.captured_at).total_seconds())
        if is_over(note, noted.notes, keyframe.arrived_at - timedelta(seconds=limits.max_delay_s)):
            old = old or _old(note, delay_s)
            settled = _apart_s(seen.keyframes[0], keyframe) >= BURST_S and _burst_over(keyframe, now, BURST_S)
            if settled and is_noted_until(keyframe.arrived_at, noted.notes):
                return old, old, False
        elif _repeats(first, note):
            repeated.append(keyframe)
        else:
            live_s = live_delay_s(note.captured_at, keyframe.rtp_timestamp, seen.newest)
            late_s = live_s if live_s is not None else delay_s
            if late_s > limits.max_delay_s:
                continue
            if earlier.since is not None and note.captured_at < earlier.since:
                break
            if delay_s < CACHED_FROM_S:
                found = Finding(VerificationVerdict.VERIFIED, captured_at=note.captured_at, delay_s=round(delay_s, 3))
                return found, None, False
            if seen.newest is not None and seen.failure is None and not _burst_over(keyframe, now, BURST_OVER_S):
                # It is proven already; its delay will be known in a moment.
                return None, None, True
            if late_s >= CACHED_FROM_S and _proved_before(note, earlier, limits):
                continue
            return _verified_with_delay(note, delay_s, live_s), None, False
    return _of_a_repeating_camera(repeated, comings), old, bool(repeated)


def _proved_before(note: KeyframeNote, earlier: Earlier, limits: Limits) -> bool:
    """Whether the last read-back found this picture, or a later one: it proves once, for it may be shown for ever."""
    if earlier.proven_at is None:
        return False
    return 0 <= (earlier.proven_at - note.captured_at).total_seconds() <= limits.longest_s


def _paused(
    finding: Finding, seen: Seen, fresh: Sequence[KeyframeNote], *, asked_at: datetime, now: datetime, limits: Limits
) -> bool:
    """Whether the destination had not the camera's picture for a while before the match."""
    captured_at = finding.captured_at or now
    until = captured_at if (now - captured_at).total_seconds() <= limits.max_delay_s else now
    # One that has become late, or whose session began, is silent for as long as it is late.
    late_s = min((finding.delay_s or 0.0) + PAUSE_S, limits.max_delay_s)
    came = {keyframe.hash for keyframe in seen.keyframes}
    never_came = [note.captured_at for note in fresh if note.captured_at < until and note.hash not in came]
    if is_pause(never_came, until):
        return True
    # What it kept back meanwhile may all come at once.
    arrivals = (asked_at, *(keyframe.arrived_at for keyframe in seen.keyframes), now)
    return any(
        is_pause([note.captured_at for note in fresh if before < note.captured_at < after], after)
        for before, after in pairwise(arrivals)
        if (after - before).total_seconds() > late_s
    )


def _burst_over(keyframe: Keyframe, now: datetime, within_s: float) -> bool:
    return (now - keyframe.arrived_at).total_seconds() >= within_s


def _verified_with_delay(note: KeyframeNote, delay_s: float, live_s: float | None) -> Finding:
    if live_s is not None:
        return Finding(VerificationVerdict.VERIFIED, captured_at=note.captured_at, delay_s=round(live_s, 3))
    return Finding(
        VerificationVerdict.VERIFIED, detail=CACHE_COUNTS, captured_at=note.captured_at, delay_s=round(delay_s, 3)
    )


def _repeats(first: KeyframeNote, last: KeyframeNote) -> bool:
    """Whether the camera gave this picture more than once; two holders note one coming at almost the same time."""
    return last.first_captured_at is not None or (last.captured_at - first.captured_at).total_seconds() >= BURST_S


def _of_a_repeating_camera(
    repeated: Sequence[Keyframe], comings: Mapping[str, tuple[KeyframeNote, KeyframeNote]]
) -> Finding | None:
    """`repeated`: what came back of pictures that the camera gave more than once, the newest first."""
    if len(repeated) < LEAST_KEYFRAMES:
        return None
    first, last = comings[repeated[0].hash]
    still_since = min(first.captured_at, last.first_captured_at or first.captured_at)
    return Finding(
        VerificationVerdict.NOT_CHECKABLE,
        detail=f"the camera repeats its pictures since {still_since:%H:%M:%S} UTC: what is played may be old",
        still_since=still_since,
    )


def _stands_still(
    seen: Seen, noted: Noted, fresh: Sequence[KeyframeNote], *, asked_at: datetime, now: datetime, limits: Limits
) -> Finding | None:
    """Whether new keyframes had to come back by now and none did, after one that a destination may keep for ever."""
    if not seen.keyframes or seen.failure is not None:
        return None
    last = seen.keyframes[-1]
    later = [note for note in fresh if note.captured_at > last.arrived_at]
    # What the camera itself repeats accuses nobody.
    if len(later) < LEAST_KEYFRAMES or all(note.hash == last.hash for note in later):
        return None
    if (now - min(note.captured_at for note in later)).total_seconds() < limits.max_delay_s + limits.settle_s:
        return None
    came = [note.captured_at for note in noted.notes if note.hash == last.hash]
    since = f"since {max(came):%H:%M:%S} UTC" if came else f"since before {asked_at:%H:%M:%S} UTC"
    detail = (
        f"the destination's picture stands still {since}: no new keyframe came back within "
        f"{(now - last.arrived_at).total_seconds():.0f} s, and the camera gave {len(later)} meanwhile"
    )
    captured_at = max(came, default=None)
    return Finding(VerificationVerdict.MISMATCH, Cause.MISMATCH, detail, captured_at=captured_at, stands_still=True)


def not_checkable(detail: str, cause: Cause | None = None) -> Finding:
    """Nothing could be compared, and not for the destination's sake."""
    return Finding(VerificationVerdict.NOT_CHECKABLE, cause, detail)


def failed(failure: Failure, *, keyframes: int = 0) -> Finding:
    """Judge a read-back that did not get far enough."""
    says_nothing = failure.cause is None or failure.cause in SAYS_NOTHING
    detail = failure.detail
    if keyframes:
        detail = f"{detail}, after {keyframes} keyframes of which none was recognised yet"
    verdict = VerificationVerdict.NOT_CHECKABLE if says_nothing else VerificationVerdict.UNREACHABLE
    return Finding(verdict, failure.cause, detail, rest_s=failure.rest_s)


def failing_since(finding: Finding, seen: Seen, *, asked_at: datetime) -> datetime:
    """Since when a read-back says what it says: one that was cut off while media came says nothing against that."""
    cut_off = finding.verdict is VerificationVerdict.UNREACHABLE and seen.failure is not None
    return max(asked_at, seen.newest.arrived_at) if cut_off and seen.newest is not None else asked_at


def _old(note: KeyframeNote, delay_s: float) -> Finding:
    detail = f"the destination plays a picture that came from the camera {delay_s:.0f} s ago"
    return Finding(VerificationVerdict.MISMATCH, Cause.MISMATCH, detail, captured_at=note.captured_at)


def _different(
    seen: Seen, fresh: Sequence[KeyframeNote], *, asked_at: datetime, now: datetime, limits: Limits
) -> Finding | None:
    """Whether what is played cannot be the camera's present picture; nothing read back is among `fresh`.

    It may be an old one of this camera: nobody noted what came before.
    """
    if len(seen.keyframes) < LEAST_KEYFRAMES or len(fresh) < LEAST_KEYFRAMES:
        return None
    given = [(note.hash, note.captured_at) for note in fresh]
    if seen.failure is None and silence_at_end(seen.timed, given, asked_at=asked_at).is_repetition:
        return Finding(VerificationVerdict.MISMATCH, Cause.MISMATCH, AGAIN)
    # Every keyframe from this moment on is noted: what comes later than the longest delay after it is one of them.
    certain_from = min(note.captured_at for note in fresh) + timedelta(seconds=limits.max_delay_s)
    late = next((keyframe for keyframe in seen.keyframes if keyframe.arrived_at >= certain_from), None)
    if late is None or not _burst_over(late, now, BURST_S):
        return None
    first: dict[str, Keyframe] = {}
    if any(_apart_s(first.setdefault(frame.hash, frame), frame) >= BURST_S for frame in seen.keyframes):
        return Finding(VerificationVerdict.MISMATCH, Cause.MISMATCH, AGAIN)
    detail = (
        f"the destination plays another picture, or one older than {limits.max_delay_s:g} s: {len(seen.keyframes)} "
        f"keyframes were read back, and none is among the {len(fresh)} that came from the camera meanwhile"
    )
    return Finding(VerificationVerdict.MISMATCH, Cause.MISMATCH, detail)


def _out_of_time(
    seen: Seen, noted: Noted, fresh: Sequence[KeyframeNote], *, asked_at: datetime, now: datetime, limits: Limits
) -> Finding | None:
    waited_s = (now - asked_at).total_seconds()
    if waited_s < limits.first_within_s:
        return None
    if not fresh:
        return _without_note(noted, waited_s=waited_s, limits=limits)
    if not seen.keyframes:
        first_at = min(note.captured_at for note in fresh)
        if (now - first_at).total_seconds() < limits.first_within_s and waited_s < limits.longest_s:
            return None
        if not noted.same_holder:
            return not_checkable(TAKEN_OVER)
        return Finding(
            VerificationVerdict.UNREACHABLE,
            Cause.NO_KEYFRAME,
            f"the destination gave no keyframe within {waited_s:.0f} s, and the camera gave {len(fresh)} meanwhile",
        )
    if waited_s < limits.longest_s:
        return None
    few = f"{len(seen.keyframes)} read back and {len(fresh)} noted within {waited_s:.0f} s are too few to tell"
    return not_checkable(few if noted.same_holder else TAKEN_OVER)


def _without_note(noted: Noted, *, waited_s: float, limits: Limits) -> Finding | None:
    """Judge that the camera gave nothing to compare: the destination is not accused of that."""
    if noted.too_large:
        return too_large()
    if waited_s < limits.rare_s:
        return None
    detail = (
        f"the camera gave the forwarder no whole keyframe within {waited_s:.0f} s, so that there was nothing to "
        "compare: it sends them rarely"
    )
    return not_checkable(detail, Cause.NO_KEYFRAME)


def too_large() -> Finding:
    """Keyframes come, and nobody can hash them."""
    detail = "the camera's keyframes are larger than the forwarder can keep, so that none could be compared"
    return not_checkable(detail, Cause.KEYFRAME_TOO_LARGE)


def _apart_s(earlier: Keyframe, later: Keyframe) -> float:
    return (later.arrived_at - earlier.arrived_at).total_seconds()
