"""Where good ends and a fault begins. The figures behind each value: docs/reference/picture.md."""

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
    frozen_untouched: float = 0.55
    """Frozen when at least this part of the textured tiles has not changed by a single level …"""
    frozen_textured: float = 0.5
    """… at least this part of all tiles is textured (in flat or dark ones coding hides a sensor's noise) …"""
    frozen_cell: float = 6.0
    """… and the mean of no cell changed by this much (levels)."""
    alive_cell: float = 20.0
    """Something moved when the mean of a cell changed by this much (levels): people, a clock in the picture …"""
    alive_noise: float = 6.0
    """… and noise is the sensor's when points differ this much on average (levels): more than coding makes of it."""
    blurred_edge_ratio: float = 2.0
    """Blurred when edges are this much wider than in the approved reference, else than they usually are."""
    blurred_edge_width: float = 0.016
    """Blurred when edges are wider than this part of the picture's width …"""
    blurred_edge_px: float = 4.0
    """… and than this many pixels: in a small picture every edge is wide."""
    scene_edges: float = 0.02
    """Places are compared when at least this part of both pictures has edges."""
    scene_similarity: float = 0.15
    """Scene changed when the edges agree with the reference's less than this (-1 to 1), wherever they went."""
    scene_moved_similarity: float = 0.3
    """Scene changed when the edges agree at least this well with the reference's in another place …"""
    scene_moved_margin: float = 0.1
    """… and by this much better than in their own."""


DEFAULT_THRESHOLDS = PictureThresholds()
