"""Who asks for a camera that is served, and what was refused: what a centre that receives nothing has done so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from vonggac.events.causes import Cause
from vonggac.events.inventory.serving import CHECK_HOLDS_S, SelfCheckOutcome

MAX_ASKER_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Asking:
    """Of one camera and centre, since this worker holds the camera."""

    asked_at: datetime | None = None
    asked_by: str | None = None
    """Address and software of who asked last."""
    refused_for: Cause | None = None
    """Why it was refused last; None once a session has begun or ended since."""
    refusals: Mapping[Cause, int] = field(default_factory=lambda: MappingProxyType({}))
    received: bool = False
    """Whether it has received before, from whatever worker."""
    interrupted: bool = False
    """A change of workers has ended its session; it has not come back since, and may still."""
    unusable: Cause | None = None
    """Why nobody can log in: a fault of ours."""
    checked: SelfCheckOutcome | None = None
    """What a prober found at this address last, from outside this worker."""
    checked_at: datetime | None = None

    @property
    def waits_for(self) -> Cause:
        """Why the centre has no session."""
        if self.unusable is not None:
            return self.unusable
        if self.refused_for is not None:
            return Cause.REFUSED
        if self.interrupted:
            return Cause.ENDED
        return Cause.LEFT if self.received else Cause.NOT_ASKED

    def check_at(self, now: datetime) -> SelfCheckOutcome | None:
        """Return what the last check says now; None of one that is too old, or says nothing."""
        if self.checked_at is None or not timedelta() <= now - self.checked_at < timedelta(seconds=CHECK_HOLDS_S):
            return None
        return self.checked

    def note_check(self, outcome: SelfCheckOutcome, at: datetime) -> "Asking":
        """Note that a prober checked the address; of two checks the later one stands."""
        if self.checked_at is not None and at < self.checked_at:
            return self
        return replace(self, checked=outcome, checked_at=at)

    def note_request(self, at: datetime, by: str) -> "Asking":
        """Somebody who logged in asked for the camera."""
        return replace(self, asked_at=at, asked_by=by[:MAX_ASKER_CHARACTERS])

    def note_refused(self, why: Cause, at: datetime, by: str, *, times: int = 1) -> "Asking":
        """Somebody asked for the camera, so many times, and did not get it."""
        refusals = MappingProxyType({**self.refusals, why: self.refusals.get(why, 0) + times})
        return replace(self.note_request(at, by), refused_for=why, refusals=refusals)

    def note_session(self, *, interrupted: bool = False) -> "Asking":
        """Note a session's begin or end, which ends what was refused before. `interrupted`: by a worker's end."""
        return replace(self, refused_for=None, received=True, interrupted=interrupted)

    def note_absence(self) -> "Asking":
        """Its software had time enough to come back by itself."""
        return replace(self, interrupted=False)
