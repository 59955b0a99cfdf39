"""Whether a facility has cameras enough: no area that 4403/CV-BCĐ requires is uncovered (R07).

The rule is inventory's; a contract test compares the two.
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
"""Every facility has to watch these, unless it says why one does not apply (4403/CV-BCĐ)."""
OTHER_PUBLIC = "other_public"
"""An area that nothing requires to be watched."""


class Assessed(NamedTuple):
    """The verdict on record about one area."""

    verdict: CoverageVerdict
    cameras_needed: int = 0


class Sufficiency(NamedTuple):
    """Whether the cameras suffice, and what lacks. `unassessed` areas are missing too: nobody judged them."""

    sufficient: bool
    missing: tuple[str, ...]
    unassessed: tuple[str, ...]
    cameras_needed: int


def decide_sufficiency(assessed: Mapping[str, Assessed], watched: Collection[str]) -> Sufficiency:
    """`watched`: areas of the facility's enabled cameras. A person's verdict stands above them: an area found not
    covered stays so until the verdict changes; one found covered needs a camera that is still there."""
    missing: list[str] = []
    unassessed: list[str] = []
    needed = 0
    for area in REQUIRED_AREAS:
        found = assessed.get(area)
        if found is None:
            if area not in watched:
                unassessed.append(area)
                missing.append(area)
                needed += 1
        elif found.verdict is CoverageVerdict.NOT_COVERED or (
            found.verdict is CoverageVerdict.COVERED and area not in watched
        ):
            missing.append(area)
            needed += max(1, found.cameras_needed)
    return Sufficiency(not missing, tuple(missing), tuple(unassessed), needed)
