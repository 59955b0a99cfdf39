"""The last failures of a camera, each from its first failed look to its recovery."""

from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict


class Failure(BaseModel):
    """Looks in a row that ended with one cause."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: Verdict
    cause: Cause | None
    detail: str | None = Field(default=None, description="Of the last of these looks.")
    began_at: AwareDatetime
    last_at: AwareDatetime = Field(description="When the last of these looks ended.")
    looks: int = Field(ge=1)
    ended_at: AwareDatetime | None = Field(
        default=None, description="When a look ended otherwise; null while it lasts."
    )


def record_look(history: Sequence[Failure], look: CameraObservedV1, *, most: int) -> tuple[Failure, ...]:
    """`history` (newest first) with one more look; at most `most` failures are kept."""
    newest = history[0] if history and history[0].ended_at is None else None
    if newest is not None and (newest.verdict, newest.cause) == (look.verdict, look.cause):
        going_on = newest.model_copy(
            update={"detail": look.detail, "last_at": look.observed_at, "looks": newest.looks + 1}
        )
        return (going_on, *history[1:])
    before = tuple(history)
    if newest is not None:
        before = (newest.model_copy(update={"ended_at": look.observed_at}), *history[1:])
    if look.verdict is Verdict.UP:
        return before[:most]
    failure = Failure(
        verdict=look.verdict,
        cause=look.cause,
        detail=look.detail,
        began_at=look.observed_at,
        last_at=look.observed_at,
        looks=1,
    )
    return (failure, *before)[:most]
