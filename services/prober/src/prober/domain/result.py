"""What one look at a camera gives back: a value, also when everything failed."""

from dataclasses import dataclass

from vonggac.events import Cause
from vonggac.events.prober import Media, Step, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason. `cause` and `detail` are None exactly when the verdict is `up`."""

    verdict: Verdict
    cause: Cause | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One attempt: the judgement, and what was measured on the way (steps in their order)."""

    judgement: Judgement
    duration_s: float
    steps: tuple[Step, ...] = ()
    media: Media | None = None
