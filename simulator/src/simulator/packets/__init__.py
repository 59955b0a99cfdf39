"""RTP packets prepared once per clip, framed for RTSP's interleaved transport, shared by all cameras that show it."""

from simulator.packets.template import FrameTemplate, render
from simulator.packets.tracks import PreparedTrack, prepare_audio, prepare_video, replace_pictures

__all__ = ["FrameTemplate", "PreparedTrack", "prepare_audio", "prepare_video", "render", "replace_pictures"]
