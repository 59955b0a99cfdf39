"""Test patterns: painted with numpy, encoded once with PyAV, cached in a folder, then sent."""

from simulator.clips.encoded import AccessUnit, AudioClip, VideoClip
from simulator.clips.spec import VideoSpec, View

__all__ = ["AccessUnit", "AudioClip", "VideoClip", "VideoSpec", "View"]
