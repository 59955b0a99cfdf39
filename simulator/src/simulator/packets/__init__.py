"""RTP packets prepared once per clip, framed for RTSP's interleaved transport, shared by all cameras that show it."""

from simulator.packets.foreign import prepare_foreign
from simulator.packets.frame import Frame
from simulator.packets.template import FrameTemplate, render
from simulator.packets.tracks import (
    PreparedTrack,
    pack_picture,
    prepare_audio,
    prepare_video,
    replace_pictures,
)

__all__ = [
    "Frame",
    "FrameTemplate",
    "PreparedTrack",
    "pack_picture",
    "prepare_audio",
    "prepare_foreign",
    "prepare_video",
    "render",
    "replace_pictures",
]
