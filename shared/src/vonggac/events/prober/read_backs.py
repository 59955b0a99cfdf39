"""What was read back of one delivery from its centre, and compared."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.causes import Cause
from vonggac.events.envelope import MESSAGE, Payload
from vonggac.events.inventory.serving import SelfCheck


class VerificationVerdict(StrEnum):
    """Of a read-back: `mismatch` is another or an old picture, `unreachable` that nothing could be read back."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"
    NOT_CHECKABLE = "not_checkable"


class EarlierReadBack(BaseModel):
    """One read-back that has no fact of its own."""

    model_config = MESSAGE

    at: AwareDatetime = Field(
        description="What it is evidence of: of a match when its picture came from the camera, else when it began."
    )
    observed_at: AwareDatetime = Field(description="When its verdict was reached.")
    interval_s: float = Field(gt=0, description="The next read-back was due after this long.")


class AgreeingReadBacks(BaseModel):
    """The read-backs of one delivery since the last one that is a fact: all of its verdict and cause."""

    model_config = MESSAGE

    verdict: VerificationVerdict
    cause: Cause | None = None
    count: int = Field(ge=1, description="How many.")
    read_backs: tuple[EarlierReadBack, ...] = Field(
        default=(), description="Each of them, oldest first; none where nothing could be checked, which says nothing."
    )


class DeliveryVerifiedV1(Payload):
    """One read-back of one delivery from its destination: exactly one attempt, with one deadline.

    It is a fact when its verdict or cause is another one than before, and once in four of the same. The others go to
    the camera's forwarder alone, unstored, and to the bucket `verifications`; the next fact carries them.
    """

    event_type: ClassVar[str] = "vn.vonggac.prober.delivery_verified.v1"
    is_frequent: ClassVar[bool] = True
    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    camera_revision: int
    worker_id: str
    observed_at: AwareDatetime = Field(description="When the verdict was reached.")
    verdict: VerificationVerdict
    captured_at: AwareDatetime | None = Field(
        default=None, description="When the forwarder received the picture that was recognised."
    )
    delay_s: float | None = Field(
        default=None,
        ge=0,
        description="From the forwarder's receiving a picture to its return, in seconds, without the time that the "
        "destination keeps pictures for new viewers (its GOP cache); where that is not known, `detail` says so.",
    )
    cause: Cause | None = None
    detail: str | None = Field(default=None, max_length=500, description="For people; never a credential.")
    still_since: AwareDatetime | None = Field(
        default=None,
        description="The camera has repeated its picture bit for bit since then, so that it proves nothing.",
    )
    paused_since: AwareDatetime | None = Field(
        default=None,
        description="Of a match: pictures that the camera gave from then on, over ten seconds and longer, never came "
        "back; so this match proves no time between the one before and itself.",
    )
    interval_s: float = Field(gt=0, description="The next read-back is due after this long.")
    duration_ms: float = Field(
        ge=0, description="How long it took; of one that was cut off while media came: since the last of it."
    )
    awake_since: AwareDatetime | None = Field(
        default=None, description="Since when this worker has watched without a hole; later than before: it slept."
    )
    agreed: AgreeingReadBacks | None = Field(
        default=None, description="The read-backs before this one that are no facts, whichever worker made them."
    )
    is_fact: bool = Field(default=True, description="False: not stored; the delivery's next fact carries it.")
    self_check: SelfCheck | None = Field(
        default=None,
        description="Of a centre that pulls and has no session: what we found ourselves at its address. Then "
        "the verdict is not_checkable, since it says nothing of what the centre has.",
    )

    @property
    def evidence_at(self) -> datetime | None:
        """What it is evidence of: of a match when its picture came, else when it began; None where it says nothing."""
        match self.verdict:
            case VerificationVerdict.NOT_CHECKABLE:
                return None
            case VerificationVerdict.VERIFIED:
                return None if self.captured_at is None else min(self.captured_at, self.observed_at)
            case _:
                # Its prober may have slept before.
                began_at = self.observed_at - timedelta(milliseconds=round(self.duration_ms))
                return max(began_at, min(self.awake_since or began_at, self.observed_at))

    @property
    def agreeing(self) -> AgreeingReadBacks | None:
        """What the delivery's next fact has to carry: all since the last one, this one among them; None when it is that
        fact."""
        if self.is_fact:
            return None
        read_backs, count = (self.agreed.read_backs, self.agreed.count) if self.agreed is not None else ((), 0)
        at = self.evidence_at
        if at is not None:
            this = EarlierReadBack(at=at, observed_at=self.observed_at, interval_s=self.interval_s)
            read_backs = (*read_backs, this)
        return AgreeingReadBacks(verdict=self.verdict, cause=self.cause, count=count + 1, read_backs=read_backs)
