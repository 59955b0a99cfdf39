"""Areas that a camera may watch (4403/CV-BCĐ), and the private ones that it excludes."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from vonggac import sufficiency


class Area(StrEnum):
    """Areas of a facility that cameras watch."""

    CORRIDOR = "corridor"
    FLOOR_LOBBY = "floor_lobby"
    YARD = "yard"
    SAMPLING = "sampling"
    RECEPTION = "reception"
    MEDICAL_CHECK = "medical_check"
    HANDOVER = "handover"
    OUTSIDE_TOILET = "outside_toilet"
    GATE = "gate"
    OTHER_PUBLIC = "other_public"


REQUIRED_AREAS: tuple[Area, ...] = tuple(Area(one) for one in sufficiency.REQUIRED_AREAS)
"""Every facility watches them, unless it says why one does not apply, and each survey judges them (4403/CV-BCĐ)."""
PRIVATE = frozenset(
    {"room", "bedroom", "toilet", "bathroom", "isolation_room", "wc", "shower"}
    | {"phòng", "phòng ở", "phòng ngủ", "phòng cách ly", "nhà vệ sinh", "nhà tắm", "phòng tắm"}
)


def check_area(value: object) -> object:
    """Raise ValueError for a private area and name the rule; the enum checks other words."""
    if isinstance(value, str) and value.strip().lower() in PRIVATE:
        msg = (
            "cameras must not watch rooms, toilets or bathrooms (4403/CV-BCĐ); "
            f"allowed: {', '.join(area.value for area in Area)}"
        )
        raise ValueError(msg)
    return value


type PublicArea = Annotated[Area, BeforeValidator(check_area)]
"""An area as records and forms take it: a private one is refused by name."""
