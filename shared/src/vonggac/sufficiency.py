"""Whether a facility has cameras enough (R07): the one rule, of the minutes, the API, the board and every report.

Areas are those of 4403/CV-BCĐ. A person's verdict counts: what nobody assessed is neither enough nor a camera to buy.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from vonggac.events.inventory import CoverageVerdict

REQUIRED_AREAS = (
    "corridor",
    "floor_lobby",
    "yard",
    "sampling",
    "reception",
    "medical_check",
    "handover",
    "outside_toilet",
    "gate",
)
"""Every facility watches them, unless it says why one does not apply, and each survey judges them (4403/CV-BCĐ)."""
OTHER_PUBLIC = "other_public"
"""Any other public area: there may be none, so nobody has to judge it; one that was found not covered is missing."""
SUFFICIENT = {True: "đủ", False: "thiếu", None: "chưa đánh giá"}
"""What documents print."""


class Assessed(NamedTuple):
    """The verdict on record about one area."""

    verdict: CoverageVerdict
    cameras_needed: int = 0


class Sufficiency(NamedTuple):
    """Whether the cameras suffice, and what lacks."""

    sufficient: bool | None
    """None: no area is found uncovered, and some are not assessed."""
    missing: tuple[str, ...]
    """Areas without a camera; those that nobody assessed too."""
    unassessed: tuple[str, ...]
    """Of the missing ones, those that nobody assessed."""
    cameras_needed: int
    """For the areas that were found uncovered, at least one each."""

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Of the missing areas, those that were found so."""
        return tuple(area for area in self.missing if area not in self.unassessed)


def decide_sufficiency(
    assessed: Mapping[str, Assessed], watched: Collection[str] = (), once_watched: Collection[str] = ()
) -> Sufficiency:
    """Return what the verdicts and the cameras of the register say together.

    `watched`: areas of enabled cameras. `once_watched`: areas of which the register ever had an enabled camera. An area
    found not covered stays so until the verdict changes; one found covered is missing once its camera is gone.
    """
    missing: list[str] = []
    unassessed: list[str] = []
    needed = 0
    for area in (*REQUIRED_AREAS, OTHER_PUBLIC):
        found = assessed.get(area)
        if found is None:
            if area not in watched and area != OTHER_PUBLIC:
                unassessed.append(area)
                missing.append(area)
        elif found.verdict is CoverageVerdict.NOT_COVERED or (
            found.verdict is CoverageVerdict.COVERED and area in once_watched and area not in watched
        ):
            missing.append(area)
            needed += max(1, found.cameras_needed)
    sufficient = None if unassessed and len(unassessed) == len(missing) else not missing
    return Sufficiency(sufficient, tuple(missing), tuple(unassessed), needed)
