"""Is the picture true? One thumbnail, beside the last one and the approved reference."""

import math
from dataclasses import dataclass, replace

from prober.domain.picture.emptiness import measure_emptiness
from prober.domain.picture.sameness import Difference, difference
from prober.domain.picture.structure import compare_coarsely, compare_places, edge_share
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import Thumbnail
from vonggac.events import Cause

CHECKS = (
    Cause.NO_SIGNAL_CARD,
    Cause.BLACK,
    Cause.COVERED,
    Cause.FROZEN,
    Cause.BLURRED,
    Cause.SCENE_CHANGED,
)
"""What is judged, the gravest first."""

UNCHANGED = "unchanged"
"""How the reason begins why a picture is not yet frozen: it is the last one, and not old enough."""
_SAME_PLACE = 0.5
_CONTRAST_KEPT = 0.5
"""Blur takes the edges and leaves the contrast of large things; mist and darkness take both."""
_USUAL_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class PictureJudgement:
    """What was found, the gravest first; what could not be checked (by the cause's word), and why; the figures.

    `remember` is `previous` of the next `judge`: while the picture stays the same it is its first thumbnail, so that
    its age is how long nothing has changed. Store it after each deep probe.
    """

    findings: tuple[Cause, ...]
    not_checked: dict[str, str]
    measures: dict[str, float]
    remember: Thumbnail

    @property
    def shows_nothing(self) -> bool:
        """Whether there is nothing of the place to be seen."""
        return bool({Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED, Cause.FROZEN} & set(self.findings))

    def without(self, cause: Cause, why: str) -> "PictureJudgement":
        """Mark `cause` as not checked, where it was found, for the reason `why`."""
        if cause not in self.findings:
            return self
        findings = tuple(found for found in self.findings if found is not cause)
        return replace(self, findings=findings, not_checked=self.not_checked | {cause.value: why})


@dataclass(frozen=True, slots=True)
class PictureHistory:
    """The last thumbnail and the approved reference of one camera."""

    previous: Thumbnail | None
    reference: Thumbnail | None
    thresholds: PictureThresholds

    def judge(self, thumbnail: Thumbnail) -> PictureJudgement:
        """As `judge`, beside these."""
        return judge(thumbnail, self.previous, self.reference, self.thresholds)


@dataclass(frozen=True, slots=True)
class _Checked:
    """One check: found or not, or why it could not be made."""

    found: bool = False
    why_not: str | None = None


def judge(
    thumbnail: Thumbnail,
    previous: Thumbnail | None,
    reference: Thumbnail | None,
    thresholds: PictureThresholds = DEFAULT_THRESHOLDS,
) -> PictureJudgement:
    """Judge `thumbnail` beside `previous` (what the last judgement remembers) and the approved `reference`."""
    emptiness = measure_emptiness(thumbnail, thresholds)
    measures = {
        "bright_level": emptiness.bright_level,
        "structure": emptiness.structure,
        "flat": emptiness.flat,
        "noise": thumbnail.noise,
    }
    if emptiness.cause is not None:
        return _nothing_seen(emptiness.cause, measures, thumbnail, previous)
    change = difference(thumbnail, previous) if previous is not None else None
    stayed = previous is not None and _same_place(thumbnail, previous)
    checks = {
        Cause.FROZEN: _frozen(measures, thumbnail, previous, change, thresholds),
        Cause.BLURRED: _blurred(measures, thumbnail, previous if stayed else None, reference, thresholds),
        Cause.SCENE_CHANGED: _scene_changed(measures, thumbnail, reference, thresholds),
    }
    findings = tuple(cause for cause in CHECKS if cause in checks and checks[cause].found)
    not_checked = {cause.value: check.why_not for cause, check in checks.items() if check.why_not is not None}
    usual_edge_px = _usual_edge_px(thumbnail, previous if stayed else None, blurred=Cause.BLURRED in findings)
    unchanged = change is not None and change.is_same(thresholds)
    anchor = previous if unchanged and previous is not None else thumbnail
    return PictureJudgement(findings, not_checked, measures, replace(anchor, usual_edge_px=usual_edge_px))


def _nothing_seen(
    cause: Cause, measures: dict[str, float], thumbnail: Thumbnail, previous: Thumbnail | None
) -> PictureJudgement:
    """Leave out the other checks, which would judge the hand before the lens; keep what the camera showed before."""
    why_not = f"the picture shows nothing of the place ({cause})"
    rest = (Cause.FROZEN, Cause.BLURRED, Cause.SCENE_CHANGED)
    return PictureJudgement((cause,), dict.fromkeys(rest, why_not), measures, previous or thumbnail)


def _frozen(
    measures: dict[str, float],
    thumbnail: Thumbnail,
    previous: Thumbnail | None,
    change: Difference | None,
    thresholds: PictureThresholds,
) -> _Checked:
    if previous is None or change is None:
        return _Checked(why_not="no earlier picture to compare with")
    measures["points_difference"], measures["cell_difference"] = change.points, change.cell
    measures["untouched"] = change.untouched
    if not change.is_same(thresholds):
        if change.is_same_but_for_the_clock(thresholds):
            return _Checked(why_not="only the upper or lower edge changed, where cameras write their clock")
        if change.is_alive(thresholds):
            return _Checked()
        return _Checked(why_not="nothing moved, and what differs may be the sensor's noise or the coding alone")
    age_s = (thumbnail.taken_at - previous.taken_at).total_seconds()
    if age_s < thresholds.frozen_min_age_s:
        return _Checked(
            why_not=f"{UNCHANGED}, but for {age_s:.0f} s only: {thresholds.frozen_min_age_s:.0f} s are needed"
        )
    return _Checked(found=True)


def _blurred(
    measures: dict[str, float],
    thumbnail: Thumbnail,
    previous: Thumbnail | None,
    reference: Thumbnail | None,
    thresholds: PictureThresholds,
) -> _Checked:
    """`previous`: None when it shows another place."""
    has_edges = not math.isnan(thumbnail.edge_px)
    if has_edges:
        measures["edge_width"] = thumbnail.edge_px / thumbnail.width
        if thumbnail.edge_px > max(thresholds.blurred_edge_width * thumbnail.width, thresholds.blurred_edge_px):
            return _Checked(found=True)
    known_px = (
        (reference, reference.edge_px if reference else math.nan),
        (previous, previous.usual_edge_px if previous else math.nan),
    )
    for known, sharp_px in known_px:
        if known is None or math.isnan(sharp_px) or (known is reference and not _same_place(thumbnail, known)):
            continue
        if has_edges:
            measures["edge_ratio"] = thumbnail.edge_px / sharp_px
            return _Checked(found=measures["edge_ratio"] > thresholds.blurred_edge_ratio)
        if compare_coarsely(thumbnail.grey, known.grey).contrast >= _CONTRAST_KEPT:
            return _Checked(found=True)
    return _Checked(why_not=None if has_edges else "too few edges in the picture")


def _same_place(thumbnail: Thumbnail, known: Thumbnail) -> bool:
    """Edges of different places, or of pictures of different size, have nothing to do with one another."""
    return thumbnail.width == known.width and compare_coarsely(thumbnail.grey, known.grey).similarity >= _SAME_PLACE


def _usual_edge_px(thumbnail: Thumbnail, previous: Thumbnail | None, *, blurred: bool) -> float:
    """Follows the good thumbnails slowly; `previous` is None at another place, where it begins anew."""
    usual = previous.usual_edge_px if previous is not None else math.nan
    if blurred or math.isnan(thumbnail.edge_px):
        return usual
    return thumbnail.edge_px if math.isnan(usual) else usual + _USUAL_WEIGHT * (thumbnail.edge_px - usual)


def _scene_changed(
    measures: dict[str, float], thumbnail: Thumbnail, reference: Thumbnail | None, thresholds: PictureThresholds
) -> _Checked:
    if reference is None:
        return _Checked(why_not="no reference picture is approved")
    for name, grey in (("picture", thumbnail.grey), ("reference", reference.grey)):
        if edge_share(grey) < thresholds.scene_edges:
            return _Checked(why_not=f"the {name} is too dark or too flat to compare places")
    agreement = compare_places(thumbnail.grey, reference.grey, thumbnail.width / thumbnail.height)
    measures["scene_similarity"] = agreement.here
    unlike = agreement.here < thresholds.scene_similarity
    moved = (
        agreement.elsewhere >= thresholds.scene_moved_similarity
        and agreement.elsewhere - agreement.here >= thresholds.scene_moved_margin
    )
    if moved:
        measures["moved_right"], measures["moved_down"] = agreement.right, agreement.down
        measures["turned_degrees"] = agreement.turned_degrees
    return _Checked(found=unlike or moved)
