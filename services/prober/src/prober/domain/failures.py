"""The last failures of a camera, each from its first failed probe to its recovery."""

from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict


class Failure(BaseModel):
    """Probes in a row that ended with one cause."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: Verdict
    cause: Cause | None
    detail: str | None = Field(default=None, description="Of the last of these probes.")
    began_at: AwareDatetime
    last_at: AwareDatetime = Field(description="When the last of these probes ended.")
    probes: int = Field(ge=1)
    ended_at: AwareDatetime | None = Field(
        default=None, description="When a probe ended otherwise; null while it lasts."
    )


def record_probe(history: Sequence[Failure], probe: CameraObservedV1, *, most: int) -> tuple[Failure, ...]:
    """`history` (newest first) with one more probe; at most `most` failures are kept."""
    newest = history[0] if history and history[0].ended_at is None else None
    if newest is not None and (newest.verdict, newest.cause) == (probe.verdict, probe.cause):
        going_on = newest.model_copy(
            update={"detail": probe.detail, "last_at": probe.observed_at, "probes": newest.probes + 1}
        )
        return (going_on, *history[1:])
    before = tuple(history)
    if newest is not None:
        before = (newest.model_copy(update={"ended_at": probe.observed_at}), *history[1:])
    if probe.verdict is Verdict.UP:
        return before[:most]
    failure = Failure(
        verdict=probe.verdict,
        cause=probe.cause,
        detail=probe.detail,
        began_at=probe.observed_at,
        last_at=probe.observed_at,
        probes=1,
    )
    return (failure, *before)[:most]
