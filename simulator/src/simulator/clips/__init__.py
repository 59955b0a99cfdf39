"""Test patterns: painted with numpy, encoded once with PyAV, cached in a folder, then sent."""

from simulator.clips.encoded import VideoClip
from simulator.clips.spec import VideoSpec

__all__ = ["VideoClip", "VideoSpec"]
