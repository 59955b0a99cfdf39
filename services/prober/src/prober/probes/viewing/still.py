"""A picture that a person views, or why there is none."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vonggac.events import Cause


class PictureOf(StrEnum):
    """Where a picture comes from: never one for the other."""

    CENTRE = "centre"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Still:
    """One picture as a JPEG. `seen_at`: of a centre's, when it came back; of a camera's, when it was received."""

    of: PictureOf
    jpeg: bytes
    width: int
    height: int
    codec: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class NoStill:
    """Why there is none: a cause of the closed list where there is one, and words for people."""

    cause: Cause | None
    detail: str


type StillResult = Still | NoStill
