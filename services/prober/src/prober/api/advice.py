"""A cause as the API shows it: what to do about it, and how much of it a caller is shown.

Whether a port is closed, filtered or at no machine is what a port scanner wants to know. Who may have probes made knows
anyhow; who only reads gets the answer that the device is not reached (decision 0088). Reports keep the cause: their
readers choose no address.
"""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel, Field

from prober.domain.failures import Failure
from vonggac.auth import Principal, Right
from vonggac.events import Cause
from vonggac.events.advice import ADVICE
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1


class Coarse(StrEnum):
    """What stands for several causes."""

    UNREACHABLE = "unreachable"


type CauseResponse = Cause | Coarse

_NOT_REACHED = frozenset({Cause.REFUSED, Cause.TIMEOUT, Cause.ROUTE})
_NOT_CHECKED = "the device was not reached"


class AdviceResponse(BaseModel):
    """One line in each language."""

    vi: str = Field(description="Tiếng Việt.")
    en: str

    @classmethod
    def on(cls, cause: CauseResponse | None) -> "AdviceResponse | None":
        """None when there is no cause."""
        if cause is None:
            return None
        if isinstance(cause, Coarse):
            return cls(
                vi="Không kết nối được tới thiết bị: kiểm tra nguồn điện, dây mạng, đường truyền và địa chỉ.",
                en="The device is not reached: check its power, cable, line and address.",
            )
        advice = ADVICE[cause]
        return cls(vi=advice.vi, en=advice.en)


_COARSE = MappingProxyType({"cause": Coarse.UNREACHABLE, "detail": None})
_TIMED = MappingProxyType({**_COARSE, "duration_ms": None})


def probe_for(caller: Principal, fact: CameraObservedV1) -> CameraObservedV1:
    """As finely as the caller may know. What is left out is None; a cause is then a `Coarse` one."""
    if fact.cause not in _NOT_REACHED or caller.may(Right.OPERATE):
        return fact
    unchecked = dict.fromkeys(fact.not_checked, _NOT_CHECKED)
    return fact.model_copy(update={**_TIMED, "steps": (), "not_checked": unchecked})


def read_back_for(caller: Principal, fact: DeliveryVerifiedV1) -> DeliveryVerifiedV1:
    """As `probe_for`."""
    return fact if fact.cause not in _NOT_REACHED or caller.may(Right.OPERATE) else fact.model_copy(update=_TIMED)


def reason_for(caller: Principal, cause: Cause | None, detail: str) -> tuple[CauseResponse | None, str | None]:
    """As `probe_for`, of what was not a probe: a cause and its words."""
    coarse = cause in _NOT_REACHED and not caller.may(Right.OPERATE)
    return (Coarse.UNREACHABLE, None) if coarse else (cause, detail)


def failures_for(caller: Principal, failures: Iterable[Failure]) -> list[Failure]:
    """As `probe_for`."""
    operates = caller.may(Right.OPERATE)
    return [
        failure if operates or failure.cause not in _NOT_REACHED else failure.model_copy(update=_COARSE)
        for failure in failures
    ]
