"""When a camera began to show another picture, and what a judge found it to be.

A forwarder decodes nothing. It sees that keyframes become lighter or heavier, that what comes between them shrinks, or
that one which is due does not come. Each of these is a change: what was found of the picture before does not hold after
it, and nobody knows what the camera shows until a prober has decoded a picture of after it.
"""

from dataclasses import dataclass, replace

from forwarder.domain.picture.rate import GROWN, LEAST_OCTETS_S, SHRUNK, DeltaRate
from vonggac.events.causes import Cause
from vonggac.events.forwarder import PictureSign
from vonggac.media.keyframe_weight import MUCH, Weight, Weights

NOTHING_NEW = frozenset((Cause.FROZEN, Cause.REPEATS))
RATES_KNOWN = 24
"""Judged pictures whose rates between keyframes are remembered."""
LEARNT = 0.5
"""Of the rate that is in the middle of those known: one judged picture lowers the usual one to that at most."""
NEEDLESS_AT_MOST, CHANGES_AT_MOST, WITHIN_S = 6, 60, 600.0
"""A camera whose picture was found good so often though it had changed, or that changes so often, is not watched for as
long: then every probe of it is a judged one."""
OVERDUE_INTERVALS, OVERDUE_S = 2.0, 0.5
"""A keyframe that has not come by then does not come: one that a change of scene brings puts the next one off by one
distance at most."""
TICK_S = 1.0
PAUSED_S = 3.0
"""A change so soon after a second without any picture is one of the media, which is missing: no scene swings by it."""
EARLY_S = 0.5
"""A change is dated to the middle between what showed the old picture and what showed the new one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the camera shows `since_s` (monotonic), by `sign` another one than before.

    `judged`: somebody decoded it; `cause`: and it shows nothing, for that.
    """

    since_s: float
    sign: PictureSign
    judged: bool = False
    cause: Cause | None = None


class PictureChanges:
    """The picture of one camera: None until it changes first. Times are monotonic seconds.

    What returns a bool returns whether there is news: another picture, or a judgement of it.
    """

    __slots__ = (
        "_changes_s", "_distance_s", "_good", "_good_rates", "_keyframe_s", "_level", "_needless_s", "_odd_s",
        "_present", "_rests_until_s", "_silent_s", "_stood_still", "_was_damaged", "_was_good", "doubted_s", "judged_s",
        "picture", "rate",
    )  # fmt: skip

    def __init__(self) -> None:
        self.picture: Picture | None = None
        self.judged_s: float | None = None
        """When the picture was captured that was judged last."""
        self.doubted_s: float | None = None
        """Of a picture that only a judge saw change: since when nobody knows what the camera showed."""
        self.rate = DeltaRate()
        self._good, self._good_rates = Weights(), list[float]()
        """Of pictures that were judged good."""
        self._present, self._level = Weights(), float("inf")
        """Of the picture that is shown now; its least rate."""
        self._keyframe_s: float | None = None
        self._odd_s: float | None = None
        """When the picture changed, if the last keyframe was of another one: it alone does not show that."""
        self._distance_s = 0.0
        self._changes_s, self._needless_s = list[float](), list[float]()
        self._was_good = self._stood_still = False
        """Of the picture before this one, and no media was missing when it changed; of the last one that was judged."""
        self._was_damaged = False
        """Of the picture that was judged last."""
        self._silent_s = -PAUSED_S
        self._rests_until_s = 0.0

    @property
    def usual_rate(self) -> float:
        """Octets a second between keyframes that every good picture had; 0 where none is known."""
        return min(self._good_rates, default=0.0)

    @property
    def shrunk_to(self) -> float | None:
        """What is left of the usual rate; None where it has not shrunk."""
        return self.rate.shrunk_to(self.usual_rate)

    def wants_judge(self, now_s: float) -> bool:
        """Whether the next probe must decode: nothing was judged yet, the picture is another one or stands still, or
        nobody watches."""
        unjudged = self.picture is not None and not self.picture.judged
        return not self._good or unjudged or self.stands_still or now_s < self._rests_until_s

    @property
    def stands_still(self) -> bool:
        """Whether a prober found it so: its encoder may code it anew, so that no one keyframe shows the end."""
        return self.picture is not None and self.picture.judged and self.picture.cause is Cause.FROZEN

    def begin_session(self, now_s: float, *, coded_otherwise: bool = False) -> bool:
        """Begin a session: media flows anew; `coded_otherwise`: with other parameter sets, as another device has."""
        self.rate.begin_anew()
        self._keyframe_s, self._distance_s = None, 0.0
        overdue = self.picture is not None and self.picture.sign is PictureSign.OVERDUE
        another = coded_otherwise and len(self._good) > 0
        return (overdue or another) and self._change(now_s, now_s, PictureSign.WEIGHT)

    def weigh_keyframe(self, now_s: float, weight: Weight, *, light: bool = False) -> bool:
        """Weigh a keyframe that came; `light`: the first like it passed unseen, in the place of one that was due."""
        self.rate.leave_out(round(weight.octets))
        changed_s = self._changed_s(now_s, light=light)
        overdue = self.picture is not None and self.picture.sign is PictureSign.OVERDUE
        odd_s, self._odd_s = self._odd_s, None
        if overdue:
            changed_s = now_s
        elif not self._is_another(weight):
            self._present.add(weight)
            return False
        elif odd_s is None and self._is_good() and self._good.may_cover(weight):
            # Two such in a row are another picture.
            self._odd_s = changed_s
            return False
        news = self._change(now_s, changed_s if odd_s is None else odd_s, PictureSign.WEIGHT)
        self._present.add(weight)
        return news

    def read_total(self, now_s: float, total: int, *, silent: bool = False) -> bool:
        """`total` octets have come in this session up to now, and since the call before no picture where it was
        `silent`; call about once a second."""
        if silent:
            self._silent_s = now_s
        if not self.rate.read_total(now_s, total):
            return False
        if self._is_good() and not self._good_rates:
            # It was judged before there was a rate.
            self._learn_rate(self.picture, moves=True)
        shrank_s = self.rate.shrank_at(self.usual_rate)
        if self._is_good():
            return shrank_s is not None and self._change(now_s, shrank_s, PictureSign.DELTAS)
        if self.picture is None:
            return False
        weighed = self.picture.sign is PictureSign.WEIGHT and not self.picture.judged
        if weighed and shrank_s is not None and shrank_s >= self.picture.since_s - TICK_S:
            # The judge must know: such a picture may stand still.
            self.picture = replace(self.picture, sign=PictureSign.DELTAS)
            return True
        return self._grows(now_s, self.picture)

    def miss_keyframe(self, now_s: float, last_s: float, interval_s: float) -> bool:
        """Every packet since `last_s` was read and no keyframe came, though one is due every `interval_s`."""
        overdue = self.picture is not None and self.picture.sign is PictureSign.OVERDUE
        if overdue or now_s - last_s < OVERDUE_INTERVALS * interval_s + OVERDUE_S:
            return False
        return self._change(now_s, last_s + interval_s, PictureSign.OVERDUE)

    def end_nothing_new(self, now_s: float, since_s: float) -> bool:
        """End what was found: since then the picture is new again, after it stood still or repeated itself."""
        over = self.picture is not None and self.picture.judged and self.picture.cause in NOTHING_NEW
        news = over and self._change(now_s, since_s, PictureSign.WEIGHT)
        # Bit for bit: that is certain.
        self._stood_still = self._stood_still and not news
        return news

    def judge(self, captured_s: float, cause: Cause | None, *, moves: bool = False) -> bool:
        """Take what a prober found: it decoded the picture captured at `captured_s`, or missed one until then; `cause`:
        it shows nothing. `moves`: it was watched for a while, since it might stand still."""
        picture = self.picture
        if picture is not None and captured_s < picture.since_s - EARLY_S:
            return False
        if cause is None:
            if (self.shrunk_to is not None or self.stands_still) and not moves:
                # Of one keyframe, before anybody knew that it may be repeated.
                return False
            self._learn(picture, moves=moves)
        judged_s, self.judged_s = self.judged_s, captured_s
        was_damaged, self._was_damaged = self._was_damaged, cause is Cause.DECODE_FAILED
        by_chance = judged_s is not None and was_damaged != self._was_damaged
        if picture is not None and not picture.judged and not by_chance:
            if self._was_good and cause is None:
                self._needless_s.append(captured_s)
            if self._stood_still and cause is None:
                # It may have stood still for longer than to this change: a repeated picture weighs as one that moves.
                picture = replace(picture, since_s=max(picture.since_s, captured_s))
            self.picture = replace(picture, judged=True, cause=cause)
            return True
        before = picture.cause if picture is not None else None
        if before is cause and not by_chance:
            return False
        # Damaged keyframes weigh as much as good ones: what changed by weight meanwhile says not when they began.
        known_s = picture.since_s if picture is not None and picture.judged else None
        self.doubted_s = judged_s if known_s is None or judged_s is None else max(judged_s, known_s)
        self.picture = Picture(captured_s, PictureSign.JUDGED, judged=True, cause=cause)
        self._level = float("inf")
        return True

    def _is_good(self) -> bool:
        shows = self.picture is None or (self.picture.judged and self.picture.cause is None)
        return shows and len(self._good) > 0

    def _is_another(self, weight: Weight) -> bool:
        if self._is_good():
            return not self._good.cover(weight)
        before, picture = self._present.middle, self.picture
        if before is None or picture is None:
            return False
        returned = self._good.cover(weight) and not self._good.cover(before)
        return returned or (picture.judged and not self._present.cover(weight, lighter=1 / MUCH, heavier=MUCH))

    def _grows(self, now_s: float, picture: Picture) -> bool:
        """Whether more comes again, of a picture that shows nothing or that nobody judged yet."""
        least = max(GROWN * self._level, SHRUNK * self.usual_rate, LEAST_OCTETS_S)
        grew_s = self.rate.grew_at(least)
        if grew_s is not None and grew_s >= picture.since_s:
            return self._change(now_s, grew_s, PictureSign.DELTAS)
        newest_s, newest = self.rate.seconds[-1]
        if newest_s >= picture.since_s:
            self._level = min(self._level, newest)
        return False

    def _change(self, now_s: float, since_s: float, sign: PictureSign) -> bool:
        self._changes_s = [one for one in self._changes_s if now_s - one < WITHIN_S]
        self._needless_s = [one for one in self._needless_s if now_s - one < WITHIN_S]
        if not self._may_change(now_s, sign):
            return False
        self._changes_s.append(now_s)
        unjudged = self.picture is not None and not self.picture.judged
        self._stood_still = self.stands_still or (self._stood_still and unjudged)
        self._was_good = self._is_good() and now_s - self._silent_s >= PAUSED_S
        if self.picture is not None:
            since_s = max(since_s, self.picture.since_s)
        self.picture = Picture(since_s, sign)
        self._present, self._level = Weights(), float("inf")
        return True

    def _may_change(self, now_s: float, sign: PictureSign) -> bool:
        """Whether a change is published; a camera that changes too often, or needlessly, rests.

        A keyframe that does not come is no change of scene: without that change every probe of a camera that rests
        would call it up, for want of a keyframe to decode. What begins so ends so.
        """
        if self.picture is not None and self.picture.sign is PictureSign.OVERDUE:
            return True
        if sign is PictureSign.OVERDUE:
            return len(self._changes_s) < CHANGES_AT_MOST
        if now_s < self._rests_until_s:
            return False
        if len(self._changes_s) >= CHANGES_AT_MOST or len(self._needless_s) >= NEEDLESS_AT_MOST:
            self._rests_until_s = now_s + WITHIN_S
            return False
        return True

    def _learn(self, picture: Picture | None, *, moves: bool) -> None:
        """Learn what is shown now as good."""
        if (weight := self._present.newest) is not None:
            self._good.add(weight)
        self._learn_rate(picture, moves=moves)

    def _learn_rate(self, picture: Picture | None, *, moves: bool) -> None:
        since_s = picture.since_s if picture is not None else 0.0
        if not self._good_rates:
            first = self.rate.middle_since(since_s)
            self._good_rates = [first] if first is not None else []
            return
        least = self.rate.least_since(since_s)
        if least is not None and (moves or least >= SHRUNK * self.usual_rate):
            # Some judges may err: a repeated picture that seemed to move must go on to be asked for.
            middle = sorted(self._good_rates)[len(self._good_rates) // 2]
            self._good_rates = [*self._good_rates, max(least, LEARNT * middle)][-RATES_KNOWN:]

    def _changed_s(self, now_s: float, *, light: bool) -> float:
        """Amid this keyframe and the one before it, or the first light one."""
        last_s, near_s = self._keyframe_s, self._distance_s
        self._keyframe_s = now_s
        if last_s is None:
            return now_s
        apart_s = now_s - last_s
        half_s = min(apart_s, near_s or apart_s) / 2
        if not light:
            self._distance_s = apart_s
        return last_s + half_s if light else now_s - half_s
