"""Reads the answers of a decoding process, and refuses whatever does not fit.

Apart from the messages: the process needs none of this, and starts in two thirds of the time without pydantic.
"""

import math
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prober.domain.picture import ENCODED_BYTES, PictureHistory, PictureJudgement, Thumbnail, ThumbnailUnreadableError
from prober.probes.decoding.picture import Picture, Undecodable
from vonggac.events import Cause

JPEG_BEGINS = b"\xff\xd8\xff"


class BrokenMessageError(ValueError):
    """The other side does not speak as it should: it is not to be used any more."""


class _Judged(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)

    findings: tuple[Cause, ...] = Field(max_length=16)
    not_checked: dict[str, str] = Field(max_length=16)
    measures: dict[str, float | None] = Field(max_length=64)
    keeps_previous: bool
    usual_edge_px: float | None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decode_s: float
    reason: str | None = Field(default=None, max_length=500)
    cause: Cause = Cause.DECODE_FAILED
    width: int = Field(default=0, ge=0)
    height: int = Field(default=0, ge=0)
    profile: str | None = Field(default=None, max_length=100)
    pixel_format: str = Field(default="", max_length=100)
    judged: _Judged | None = None


def decode_answer(described: bytes, data: bytes, history: PictureHistory | None) -> Picture | Undecodable:
    """`history` of the request. Raises BrokenMessageError."""
    try:
        answer = _Answer.model_validate_json(described)
        if answer.reason is not None:
            return Undecodable(answer.reason, answer.decode_s, answer.cause)
        thumbnail, jpeg = Thumbnail.decode(data[:ENCODED_BYTES]), data[ENCODED_BYTES:]
        if jpeg and not jpeg.startswith(JPEG_BEGINS):
            # It goes on to a browser: whoever took the process over does not choose what it is.
            raise BrokenMessageError("no JPEG")
        judged = _judged(answer.judged, thumbnail, history) if answer.judged is not None else None
    except (ValidationError, ThumbnailUnreadableError) as error:
        raise BrokenMessageError(type(error).__name__) from None
    return Picture(
        answer.width, answer.height, answer.profile, answer.pixel_format, answer.decode_s, thumbnail, judged, jpeg
    )


def _judged(judged: _Judged, thumbnail: Thumbnail, history: PictureHistory | None) -> PictureJudgement:
    previous = history.previous if history is not None and judged.keeps_previous else None
    usual_edge_px = judged.usual_edge_px if judged.usual_edge_px is not None else math.nan
    return PictureJudgement(
        judged.findings,
        judged.not_checked,
        {name: value if value is not None else math.nan for name, value in judged.measures.items()},
        replace(previous or thumbnail, usual_edge_px=usual_edge_px),
    )
