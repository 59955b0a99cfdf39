"""Which keyframes of a camera are hashed or handed out, and what is remembered of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vonggac.media.h26x import VideoCodec, is_parameter_set, keyframe_hash, nal_type
from vonggac.media.picture_order import shown_in_a_row

MAX_KEYFRAME_BYTES = 8 << 20
"""A larger keyframe is given up while it comes in: that camera cannot be proven, and costs no more memory.
An access unit has at most as much (`vonggac.media.depacketizer`)."""
MAX_KEPT_BYTES = 64 << 20
"""Of the keyframes of all cameras that come in at one time in a process; then the next one is given up."""
HISTORY = 12
STILL_FOR_CERTAIN = 4
"""Identical keyframes, until which a picture that may stand still is hashed keyframe by keyframe."""
STILL_WATCH_S = 10.0
"""For so long at a time."""
HASH_AT_MOST_S = 30.0
"""Longest time for which every keyframe is hashed at one request."""
AWAIT_EARLY_S = 0.2
"""A keyframe is awaited so long before its last packet is expected: its own way in, and some unevenness."""
LONGEST_INTERVAL_S = 20.0
"""Of keyframes that follow each other; more than that is a clock that was set anew."""
COMPARE_EVERY_S = 0.9
"""Every keyframe is compared with those before it, by its size at least; of several a second one in so long."""
HEAVY = 0.65
"""A picture of so much of the last keyframe's size, when the next keyframe is due, is that keyframe.
Those before it may have more than half of it where much moves."""
UNEVEN_S = 0.1
"""A keyframe that comes so far off the rhythm of those before it belongs to another one."""
UNEVEN_AT_MOST = 3
"""A camera whose rhythm was wrong so often in a session has none: its keyframes are hashed from time to time only."""
LEAP_S = 1.0
"""A picture stamped so much further than the time that passed, or so much before the last one, shows a clock that
was set. Pictures are shown in another order than they are sent in, and a burst brings stored ones."""
MOST_LOST = 3000
"""Packets missing in about a second; more is a sender that began anew (RFC 3550 A.1)."""
MOST_PICTURES = 1000
"""Kept while no second of them is known to have no holes."""
WORST_WITHIN_S = 30.0
_START_CODE = b"\x00\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class KeyframeTiming:
    """Seconds from one keyframe to the next: handed out to the prober at most, hashed at least."""

    sample_s: float = 5.0
    hash_s: float = 30.0

    def next_hash_in_s(self, chance: float) -> float:
        """Spread by a tenth, so that cameras that started together drift apart. `chance`: random in [0, 1)."""
        return self.hash_s * (0.9 + 0.2 * chance)


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One whole keyframe, `nals` without start codes; `captured_at`: when its last packet came from the camera."""

    codec: VideoCodec
    nals: Sequence[bytes]
    captured_at: datetime

    @property
    def hash(self) -> str:
        """What a read-back of the same picture hashes to, in hexadecimal digits."""
        return keyframe_hash(self.codec, self.nals).hex()

    def annex_b(self, parameter_sets: Iterable[bytes]) -> bytes:
        """Build a byte stream that decodes alone: `parameter_sets` first, of the kinds that it brings not itself."""
        own = {nal_type(self.codec, nal) for nal in self.nals}
        missing = [
            nal
            for nal in parameter_sets
            if is_parameter_set(self.codec, kind := nal_type(self.codec, nal)) and kind not in own
        ]
        return b"".join(_START_CODE + nal for nal in (*missing, *self.nals))


@dataclass(frozen=True, slots=True)
class ComparedKeyframe:
    """A keyframe as others are compared with it. `octets`: of its packets; `hash`: None when it was weighed only.

    `head`: a checksum of the beginning of its picture, bit for bit; 0 where that was not read.
    `light`: so much lighter than those before it that the first like it passed unseen, in the place of a heavy one.
    """

    captured_at: datetime
    octets: int
    hash: str | None = None
    light: bool = False
    head: int = 0

    def may_be(self, other: "ComparedKeyframe") -> bool:
        """Whether both may be one picture: by their hashes, or by their sizes where one was not hashed."""
        if self.hash is not None and other.hash is not None:
            return self.hash == other.hash
        return self.octets == other.octets


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that stands still: `keyframes` in a row are identical, the first was captured at `since`.

    Two that alternate are identical too: an encoder numbers its IDR pictures in turns (H.264 §7.4.3, idr_pic_id).
    `began_at`: amid that one and the keyframe before it, for it stood still from some moment between the two.
    """

    since: datetime
    keyframes: int
    began_at: datetime


def still_with(still: Still | None, seen: Sequence[ComparedKeyframe]) -> Still | None:
    """Whether the picture stands still with the newest of `seen` (oldest first); `still`: with the one before it.

    Equal hashes begin it. Keyframes of the same size directly before these, which nobody hashed, are taken for the
    same picture: two pictures of one camera rarely have as many bytes.
    """
    if len(seen) < 2:
        return None
    newest = seen[-1]
    if still is not None and any(newest.may_be(one) for one in seen[-3:-1]):
        return Still(still.since, still.keyframes + 1, still.began_at)
    for period in (1, 2):
        run = period
        while run < len(seen) and seen[-1 - run].may_be(seen[-1 - run % period]):
            run += 1
        if run >= 2 * period and newest.hash is not None and seen[-1 - period].hash is not None:
            return Still(seen[-run].captured_at, run, changed_at(seen, len(seen) - run))
    return None


def changed_at(seen: Sequence[ComparedKeyframe], index: int) -> datetime:
    """When the picture changed to that of `seen[index]`, or began to move with it: amid it and the keyframe before it.

    Where these are farther apart than the next two, as after an interruption, amid the time that one lasts; where
    light ones passed unseen, it changed with the first of them.
    """
    at = seen[index].captured_at
    if index == 0 or len(seen) < 3:
        return at
    apart = at - seen[index - 1].captured_at
    near = seen[index + 1].captured_at - at if index + 1 < len(seen) else seen[-2].captured_at - seen[-3].captured_at
    half = min(apart, near) / 2
    return seen[index - 1].captured_at + half if seen[index].light else at - half


def least_octets(keyframe_octets: int) -> int:
    """Of a picture that is taken for the next keyframe without being read; the last one had `keyframe_octets`."""
    return round(HEAVY * keyframe_octets)


def may_stand_still(seen: Sequence[ComparedKeyframe]) -> bool:
    """Whether the newest keyframe may be one of those before it: the next ones will show it."""
    return any(seen[-1].may_be(one) for one in seen[-5:-1])


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of the packets of about a second. `packets_lost`: missing by their sequence numbers."""

    fps: float
    packets_received: int
    packets_lost: int

    def is_worse(self, other: "Figures") -> bool:
        """Whether more of the packets is missing, or of as many fewer pictures came."""
        return (self._lost_share, -self.fps) > (other._lost_share, -other.fps)

    @property
    def _lost_share(self) -> float:
        return self.packets_lost / max(1, self.packets_lost + self.packets_received)


class Rhythm:
    """When to wait for a camera's next keyframe, from the last one and the distance of two in a row. Seconds.

    The distance is taken from the RTP timestamps, of which dozens go by until one is wanted again. Cameras keep to it
    for hours; one that changes it is read until it is known anew, one that has none is not read each time.
    """

    __slots__ = ("_clock_rate", "_interval_s", "_newest_s", "_stamp", "_uneven", "_watching")

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._newest_s, self._stamp = 0.0, 0
        self._interval_s: float | None = None
        self._watching = False
        self._uneven = 0

    @property
    def known(self) -> bool:
        return self._interval_s is not None

    @property
    def interval_s(self) -> float | None:
        """From one keyframe to the next; None while that is not known, or where it is too long or uneven."""
        return self._interval_s if self.steady else None

    @property
    def lost(self) -> bool:
        """Whether it was known, turned out wrong, and is worth learning anew."""
        return self._interval_s is None and 0 < self._uneven < UNEVEN_AT_MOST

    @property
    def steady(self) -> bool:
        """Whether every keyframe can be awaited without reading what is between them."""
        interval_s = self._interval_s
        return interval_s is not None and 0 < interval_s <= LONGEST_INTERVAL_S and self._uneven < UNEVEN_AT_MOST

    @property
    def longest_wait_s(self) -> float:
        """For a keyframe, from when it is awaited, even if the camera puts it off by a part of a distance."""
        return (self._interval_s or LONGEST_INTERVAL_S) + 2 * AWAIT_EARLY_S

    def note_keyframe(self, now_s: float, stamp: int) -> None:
        """Note that a whole keyframe of this RTP timestamp has just come."""
        passed_s = ((stamp - self._stamp) & 0xFFFFFFFF) / self._clock_rate
        if self._watching:
            self._interval_s = passed_s
        elif self._interval_s and abs(passed_s - round(passed_s / self._interval_s) * self._interval_s) > UNEVEN_S:
            self._interval_s = None
            self._uneven += 1
        self._newest_s, self._stamp, self._watching = now_s, stamp, True

    def forgive(self) -> None:
        """Forgive a rhythm that was wrong once, which is no proof for ever: call about every half minute."""
        self._uneven = max(0, self._uneven - 1)

    def stop_watching(self) -> None:
        """Keyframes may go by unseen from now on."""
        self._watching = False

    def wait_s(self, now_s: float, *, least_s: float = 0.0) -> float:
        """How long nothing is missed if nobody reads; 0 when that is not known. Keyframes within `least_s` may be."""
        if not self._interval_s or self._interval_s > LONGEST_INTERVAL_S:
            return 0.0
        since_s = now_s + least_s - self._newest_s
        return max(0.0, least_s + self._interval_s - since_s % self._interval_s - AWAIT_EARLY_S)


class KeyframeRoom:
    """What the unfinished keyframes of all cameras of a process take, and whether there is room for more."""

    __slots__ = ("_max_bytes", "taken_bytes")

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes, self.taken_bytes = max_bytes, 0

    @property
    def full(self) -> bool:
        return self.taken_bytes > self._max_bytes


class StreamMeter:
    """Pictures a second and missing packets, from the first packet of each picture; measures for a second or longer.

    Pictures that are sent in another order than they are shown in are counted from a keyframe on.
    """

    __slots__ = ("_begin", "_clock_rate", "_keyframe", "_newest", "_sent", "_worst", "figures", "fresh")

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._begin: tuple[int, int, int] | None = None
        self._newest = (0, 0.0)
        self._sent: list[int] = []
        self._keyframe: int | None = None
        self.figures: Figures | None = None
        """Of the last second that was measured; None before the first."""
        self.fresh = False
        """Whether they were measured since the last pause."""
        self._worst: tuple[float, Figures] | None = None

    def worst_figures(self, now_s: float) -> Figures | None:
        """Find the worst of the last half minute: of a stream that comes half of the time, one second says nothing."""
        worst = self._worst
        return worst[1] if worst is not None and now_s - worst[0] <= WORST_WITHIN_S else self.figures

    def pause(self) -> None:
        """Packets go by uncounted from now on."""
        self._begin, self.fresh = None, False

    def begin_source(self) -> None:
        """Another sender: its numbers are its own (RFC 3550 §5.1)."""
        self._begin = None

    def keyframe(self) -> None:
        """Mark the picture that began last as a keyframe."""
        if self._keyframe is None:
            self._keyframe = len(self._sent) - 1

    def picture(self, *, timestamp: int, sequence: int, packets: int, now_s: float) -> None:
        """Begin a picture, with a packet of this RTP timestamp and sequence number, the `packets`th that was seen."""
        (last, last_s), self._newest = self._newest, (timestamp, now_s)
        step_s = _signed(timestamp - last) / self._clock_rate
        leapt = not -LEAP_S <= step_s <= now_s - last_s + LEAP_S
        if self._begin is None or leapt:
            # The camera's clock was set, or its sequence began anew: measured anew.
            self._measure_from(timestamp, sequence, packets)
            return
        first_timestamp, first_sequence, first_packets = self._begin
        self._sent.append(_signed(timestamp - first_timestamp))
        if self._sent[-1] < self._clock_rate:
            return
        shown = shown_in_a_row(self._sent, self._keyframe)
        span = shown[-1] - shown[0] if shown else 0
        if span < self._clock_rate and len(self._sent) < MOST_PICTURES:
            return
        received, expected = packets - first_packets, (sequence - first_sequence) & 0xFFFF
        if span >= self._clock_rate and expected - received < MOST_LOST:
            lost = max(0, expected - received)
            figures = Figures((len(shown) - 1) * self._clock_rate / span, received, lost)
            self.figures, self.fresh = figures, True
            worst = self._worst
            if worst is None or now_s - worst[0] > WORST_WITHIN_S or not worst[1].is_worse(figures):
                self._worst = now_s, figures
        self._measure_from(timestamp, sequence, packets)

    def _measure_from(self, timestamp: int, sequence: int, packets: int) -> None:
        self._begin, self._sent, self._keyframe = (timestamp, sequence, packets), [0], None


def _signed(ticks: int) -> int:
    """Convert a difference of two timestamps to a signed one, over the wrap of 32 bits."""
    return (ticks + 0x80000000 & 0xFFFFFFFF) - 0x80000000
