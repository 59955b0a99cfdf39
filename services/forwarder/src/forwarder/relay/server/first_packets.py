"""What a session will send first: read from the kept group of pictures, so that no answer names a wrong packet."""

from collections.abc import Mapping
from typing import NamedTuple

from forwarder.relay.server.offers import TRACK
from forwarder.relay.sources.base import CameraSource, announced_sdp
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.server.session_state import Presentation
from vonggac.rtsp.wire.announcement import announce_sdp
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES


class FirstPacket(NamedTuple):
    """Of one track."""

    sequence: int
    timestamp: int
    ssrc: int


def find_first_packets(source: CameraSource) -> Mapping[int, FirstPacket]:
    """Find the first kept packet of each track, by the track's number; without those of which none is kept."""
    numbers = {track.rtp_channel: number for number, track in enumerate(source.tracks)}
    found: dict[int, FirstPacket] = {}
    for batch, _ in source.fanout.gop_cache or ():
        for channel, start, end in batch.frames:
            number = numbers.get(channel)
            if number is None or number in found:
                continue
            try:
                header = parse_rtp(batch.data, start + FRAME_HEADER_BYTES, end)
            except MalformedError:
                continue
            found[number] = FirstPacket(header.sequence, header.timestamp, header.ssrc)
            if len(found) == len(numbers):
                return found
    return found


def present(source: CameraSource, path: str) -> Presentation:
    """Describe what is at a path: the camera's media as it is, and none of its words."""
    # The same number each time: a player that describes a stream again must find the same one.
    sdp = announce_sdp(announced_sdp(source), [track.index for track in source.tracks], origin_id=id(source) >> 4)
    return Presentation(path, sdp.encode(), tuple(f"{TRACK}{number}" for number in range(len(source.tracks))))
