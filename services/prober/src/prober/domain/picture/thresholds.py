"""Where good ends and a fault begins. The figures behind each value: docs/picture.md."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureThresholds:
    """Levels are of luma, 16 (black) to 235 (white)."""

    black_level: float = 28.0
    """Black when 95 % of the picture is not brighter than this."""
    covered_structure: float = 2.0
    """Covered when what is left after a smooth surface is taken away varies less than this (levels)."""
    frozen_min_age_s: float = 30.0
    """Sameness proves nothing before: a server may hand out one keyframe twice."""
    frozen_noise: float = 0.6
    """Frozen when the points of two looks differ less than this on average (levels), and no cell moved."""
    frozen_cell: float = 4.0
    """A cell whose mean changed by this much moved (levels): people, a clock in the picture."""
    blurred_edge_ratio: float = 2.0
    """Blurred when edges are this much wider than in the approved reference (or the last look)."""
    blurred_edge_width: float = 0.012
    """Blurred when edges are wider than this part of the picture's width."""
    scene_similarity: float = 0.3
    """Scene changed when the edges agree with the reference's less than this (-1 to 1)."""


DEFAULT_THRESHOLDS = PictureThresholds()
