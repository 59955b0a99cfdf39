"""What read-backs prove of a delivery: what lies between two that agree, within one session at its destination.

Read-backs and the forwarders' changes of a delivery are put in one order: a match at the moment at which its picture
came from the camera, a failure at its beginning, a change at the moment at which it was seen. A session goes on while
one worker claims nothing but that media is acknowledged; whatever else is claimed ends it. Then:

- Matches that follow each other in a session prove the time from the first one's return to the last one's picture.
- A pause within a session, in which the destination gave nothing of what the camera gave, or in which the prober could
  not compare, parts the matches before it from those after it.
- Failures disprove the time from the beginning of the first one to the first matching picture after them, not before
  the last of them had ended, and at most two intervals longer. A pause after failures goes on with them, unless it was
  the prober that could not compare, and a session that stalls and flows again is the same one to them.
- All other time is unknown: after the last match, before the first of a session, and where nobody could compare.
- Where the bus's clock was set back, the session ends, and since when it was held says nothing of those after it.

The order in which all this arrives does not matter: the last WINDOW entries are kept per delivery, so that a late one
is put exactly in its place. One that is older than all of these proves nothing, and what it contradicts is unknown.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from reporting.domain.instants import Millis

WINDOW = 64
HOLDS_INTERVALS = 2
NO_BRIDGE: Millis = -1
MATCH_DUE_WITHIN, FAILURE_DUE_WITHIN = 15, 19
"""Tenths of an interval: between read-backs that are further apart another one was due, and may be lost."""


class Kind(IntEnum):
    """What an entry says; numbers are stored. The first three are changes by forwarders, the others read-backs."""

    LEFT = 1
    """The state before ended, for another one of which nothing is known but that it was."""
    INTERRUPTED = 2
    """A state in which no media is acknowledged."""
    ACKNOWLEDGED = 3
    """A state in which media is acknowledged, whatever read-backs say of it."""
    UNREACHABLE = 4
    DIFFERS = 5
    MATCHES = 6
    PAUSED = 7
    """Nothing came back that should have, and nobody knows why: what the session had proven ends before. With a cause:
    the prober could not compare."""
    STALLED = 8
    """As INTERRUPTED, by the destination alone: the session takes no media and is not opened anew."""
    CLOCK_SET = 9
    """No worker's: the end of a time that the bus's clock showed twice. Who took the camera by the clock as it was may
    hold it since later than who took it from that one."""


class Claimed(NamedTuple):
    """A change of a delivery's state, seen at `at` by the worker with this digest of its name."""

    at: Millis
    kind: Kind
    worker: int
    held_since: Millis
    sequence: int


class ReadBack(NamedTuple):
    """A match of the picture that came from the camera at `at`, or a failure or a pause that began then; found at
    `found_at`."""

    at: Millis
    kind: Kind
    found_at: Millis
    interval: Millis
    cause: str | None = None


type Entry = Claimed | ReadBack

NOBODY = -(2**63)
"""A worker that comes before every other."""


def clock_set(at: Millis) -> Claimed:
    """Mark the end of a time that the bus's clock showed twice: whatever was claimed before it holds no longer."""
    return Claimed(at, Kind.CLOCK_SET, NOBODY, -1, 0)


class Stretch(NamedTuple):
    """Read-backs of one mind: the delivery was connected (MATCHES) or not in [begins, ends).

    `losses_from`: a loss of facts takes from it if it is later than that, the first picture or the last failure.
    `firm_at`: what is before holds only if no read-back was lost between two that are far apart. `widest`: pictures
    came back at least that often, from one's coming to the next one's return.
    """

    begins: Millis
    ends: Millis
    kind: Kind
    cause: str | None
    losses_from: Millis
    firm_at: Millis
    widest: Millis
    worker: int


class Run(NamedTuple):
    """The read-backs of one mind with which a session goes on. Times of the first and of the last one.

    `found_at`: when the first match was found, of failures the last. `floor`: failures before it lasted until then.
    `bridge`: since when matches before it had proven the session, with which it goes on; NO_BRIDGE: none had.
    """

    kind: Kind
    cause: str | None
    first: Millis
    last: Millis
    found_at: Millis
    interval: Millis
    floor: Millis = 0
    bridge: Millis = NO_BRIDGE
    widest: Millis = 0

    @property
    def begins(self) -> Millis:
        """Since when it says what it says."""
        if self.kind is not Kind.MATCHES:
            return max(self.first, self.floor)
        return max(self.found_at, self.floor) if self.bridge == NO_BRIDGE else self.bridge

    @property
    def over_at(self) -> Millis:
        """From when on the next read-back is waited for: one that fails may itself take a minute."""
        return self.last if self.kind is Kind.MATCHES else max(self.last, self.found_at)

    @property
    def holds_until(self) -> Millis:
        """How long failures hold by themselves."""
        return self.over_at + HOLDS_INTERVALS * self.interval


class Session(NamedTuple):
    """The session at its newest entry. `acknowledged`: its media has been, so that a failure counts against it.

    `floor`: without a run, failures of the session before lasted until then.
    """

    held_since: Millis = -1
    worker: int = 0
    acknowledged: bool = False
    run: Run | None = None
    floor: Millis = 0

    @property
    def stretch(self) -> Stretch | None:
        """What its read-backs have proven so far; None where that is no time."""
        return None if self.run is None else _stretch(self, self.run)


class Tail(NamedTuple):
    """The newest entries of a delivery, sorted, and the session before the first of them; None: there was none."""

    entries: tuple[Entry, ...] = ()
    before: Session | None = None


class Change(NamedTuple):
    """What new entries do to a delivery. `since`: no time before changes its account; `beyond`: older than all kept."""

    tail: Tail
    session: Session
    removed: tuple[Millis, ...]
    added: tuple[Stretch, ...]
    since: Millis
    beyond: tuple[Entry, ...] = ()


def digest_of(worker_id: str) -> int:
    """Compute the number that stands for a worker's name, the same on every machine."""
    return int.from_bytes(sha256(worker_id.encode()).digest()[:8], signed=True)


def step(session: Session, entry: Entry) -> tuple[Session, Stretch | None]:
    """Advance the session by its next entry; return it, and the stretch that it closes, None without any."""
    return _claimed(session, entry) if isinstance(entry, Claimed) else _read_back(session, entry)


def fold(session: Session, entries: Iterable[Entry]) -> tuple[Session, list[Stretch]]:
    """Advance the session by all these entries; return it, and the stretches that they close."""
    closed: list[Stretch] = []
    for entry in entries:
        session, stretch = step(session, entry)
        if stretch is not None:
            closed.append(stretch)
    return session, closed


def observe(
    tail: Tail, session: Session, new: Iterable[Entry], *, clock_set_at: Sequence[Millis] = (), window: int = WINDOW
) -> Change | None:
    """Put new entries of one delivery in their places; None where all were known. `session`: after the tail.

    `clock_set_at`: all ends of times that the bus's clock showed twice.
    """
    known = set(tail.entries)
    if clock_set_at:
        new = list(new)
        # Before the first entry there is nothing to end, and what is no longer kept has ended.
        oldest = tail.entries[:1] if tail.before is not None else (*tail.entries[:1], *new)
        first_at = min((entry.at for entry in oldest), default=max(clock_set_at))
        new += [clock_set(at) for at in clock_set_at if at > first_at]
    given = sorted({entry for entry in new if entry not in known}, key=_place)
    if not given:
        return None
    first = _place(tail.entries[0]) if tail.before is not None and tail.entries else None
    placed = [entry for entry in given if first is None or _place(entry) > first]
    beyond = tuple(given[: len(given) - len(placed)])
    before = tail.before or Session()
    left, unsettled = _contradicted(before, beyond)
    if not beyond and (not tail.entries or _place(placed[0]) > _place(tail.entries[-1])):
        since = placed[0].at if session.run is None else min(placed[0].at, session.run.last)
        after, added = fold(session, placed)
        entries, removed = (*tail.entries, *placed), list[Stretch]()
    else:
        since = _read_back_before(tail, given[0])
        entries = tuple(sorted((*tail.entries, *placed), key=_place))
        were = fold(before, tail.entries)[1]
        after, closed = fold(unsettled, entries)
        closed = [*left, *closed]
        removed, added = _without(were, closed), _without(closed, were)
    kept = _trimmed(Tail(entries, None if tail.before is None else unsettled), window)
    return Change(kept, after, tuple(stretch.begins for stretch in removed), tuple(added), since, beyond)


def contradicts(stretch: Stretch, entry: Entry) -> bool:
    """Whether a stretch of matches cannot have gone on over an entry within it."""
    if stretch.kind is not Kind.MATCHES or entry.kind is Kind.MATCHES or not stretch.begins < entry.at < stretch.ends:
        return False
    return not (entry.kind is Kind.ACKNOWLEDGED and isinstance(entry, Claimed) and entry.worker == stretch.worker)


def cut_at(stretch: Stretch, begins: Millis, ends: Millis) -> list[Stretch]:
    """Cut [begins, ends), in which its session may have ended, out of a stretch of matches: which match was the last
    before it, and which the first after it, is no longer known."""
    before, after = min(stretch.ends, begins - stretch.widest), max(stretch.begins, ends + stretch.widest)
    parts = stretch._replace(ends=before), stretch._replace(begins=after, losses_from=ends, firm_at=after)
    return [part for part in parts if part.begins < part.ends]


def _claimed(session: Session, entry: Claimed) -> tuple[Session, Stretch | None]:
    run = session.run
    if entry.kind is Kind.CLOCK_SET:
        following, ends = Session(floor=session.floor), True
    elif (entry.held_since, entry.worker) < (session.held_since, session.worker):
        # Of a worker that another one has taken the camera from: its own session ends, which may be this one.
        following, ends = session, True
    else:
        acknowledged = entry.kind is Kind.ACKNOWLEDGED
        fails = run is not None and run.kind is not Kind.MATCHES
        ends = entry.kind is Kind.INTERRUPTED or entry.worker != session.worker
        ends = ends or (entry.kind is Kind.LEFT and (session.acknowledged or fails))
        # Whoever read back meanwhile waited for the pictures of this very session.
        ends = ends or (entry.kind is Kind.STALLED and not fails)
        following = Session(entry.held_since, entry.worker, acknowledged, run, session.floor)
    if not ends or run is None:
        return following, None
    return following._replace(run=None, floor=run.floor), _stretch(session, run, entry.at)


def _read_back(session: Session, entry: ReadBack) -> tuple[Session, Stretch | None]:
    run, matches = session.run, entry.kind is Kind.MATCHES
    if entry.kind is Kind.PAUSED:
        if run is None:
            return session, None
        if run.kind is Kind.MATCHES:
            return session._replace(run=None, floor=run.floor), _stretch(session, run)
        if entry.cause is not None:
            return session, None
        entry = entry._replace(kind=run.kind, cause=run.cause)
    if not matches and not session.acknowledged:
        # It began before there was anything to read back.
        return session, None
    at, kind, found_at, interval, cause = entry
    new = Run(kind, cause, at, at, found_at, interval)
    if run is None:
        return session._replace(run=new._replace(floor=session.floor), floor=0), None
    if run.kind is kind and run.cause == cause and _is_next(run, at):
        goes_on = Run(
            kind,
            cause,
            run.first,
            at,
            (min if matches else max)(run.found_at, found_at),
            interval,
            run.floor,
            run.bridge,
            max(run.widest, found_at - run.last),
        )
        return session._replace(run=goes_on), None
    failed = run.kind is not Kind.MATCHES
    until = max(at, run.found_at) if failed and matches else at
    if not matches:
        # Failures that follow each other are over when all of them have ended.
        new = new._replace(floor=run.floor, found_at=max(found_at, run.found_at) if failed else found_at)
    elif failed:
        new = new._replace(floor=max(run.floor, min(until, run.holds_until)))
    else:
        new = new._replace(floor=run.floor, bridge=max(run.last, run.begins))
    return session._replace(run=new), _stretch(session, run, until)


def _is_next(run: Run, at: Millis) -> bool:
    """Whether no other read-back was due between."""
    tenths = MATCH_DUE_WITHIN if run.kind is Kind.MATCHES else FAILURE_DUE_WITHIN
    return 10 * (at - run.over_at) <= tenths * run.interval


def _stretch(session: Session, run: Run, until: Millis | None = None) -> Stretch | None:
    """Compute what a run has proven. `until`: what came after it, where it is of failures."""
    if run.kind is Kind.MATCHES:
        ends, losses_from, firm_at = run.last, run.first, max(run.found_at, run.floor)
    else:
        ends = run.holds_until if until is None else min(until, run.holds_until)
        losses_from, firm_at = run.last, run.begins
    if run.begins >= ends:
        return None
    return Stretch(run.begins, ends, run.kind, run.cause, losses_from, firm_at, run.widest, session.worker)


def _place(entry: Entry) -> tuple[Millis, bool, int, int, int, int, str]:
    """Build the key that sorts entries: what is claimed at the moment at which a picture came is claimed before."""
    if isinstance(entry, Claimed):
        return entry.at, False, entry.worker, entry.sequence, entry.kind, entry.held_since, ""
    return entry.at, True, entry.kind, entry.found_at, entry.interval, 0, entry.cause or ""


def _without(some: Sequence[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    gone = set(others)
    return [stretch for stretch in some if stretch not in gone]


def _read_back_before(tail: Tail, entry: Entry) -> Millis:
    """Find the last read-back before an entry, from which on it may change what is known."""
    place = _place(entry)
    for other in reversed(tail.entries):
        if isinstance(other, ReadBack) and _place(other) < place:
            return other.at
    run = tail.before.run if tail.before is not None else None
    return entry.at if run is None else min(entry.at, run.last)


def _contradicted(session: Session, beyond: Iterable[Entry]) -> tuple[list[Stretch], Session]:
    """Cut the matches of a session by entries older than all kept; return what is left, and the session without it."""
    left: list[Stretch] = []
    for entry in beyond:
        run, stretch = session.run, session.stretch
        if run is None or stretch is None or not contradicts(stretch, entry):
            continue
        at = entry.at + max(run.widest, HOLDS_INTERVALS * run.interval)
        left += [part for part in cut_at(stretch, entry.at, entry.at) if part.begins < entry.at]
        session = session._replace(run=run._replace(first=at, floor=max(run.floor, at), bridge=NO_BRIDGE))
    return left, session


def _trimmed(tail: Tail, window: int) -> Tail:
    more = len(tail.entries) - window
    if more <= 0:
        return tail
    return Tail(tail.entries[more:], fold(tail.before or Session(), tail.entries[:more])[0])
