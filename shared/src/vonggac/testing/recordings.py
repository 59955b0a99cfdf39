"""RTP packets of real encoders and packetisers, recorded by shared/tests/media/recorded/record.py."""

from pathlib import Path

from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import interleave
from vonggac.rtsp.wire.framing import MediaBatch

_FOLDER = Path(__file__).parents[3] / "tests" / "media" / "recorded"
RECORDINGS = tuple(sorted(path.stem for path in _FOLDER.glob("*.rtp")))
PICTURES, KEYFRAMES = 31, 4
"""Pictures of each recording; it begins with a keyframe, and ends with one in display order."""


def codec_of(name: str) -> VideoCodec:
    """Find the codec of a recording."""
    return VideoCodec.H265 if "h265" in name else VideoCodec.H264


def recorded(name: str) -> list[bytes]:
    """Read the packets of a recording in sending order."""
    content = (_FOLDER / f"{name}.rtp").read_bytes()
    packets: list[bytes] = []
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 2], "big")
        packets.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    return packets


def batches(name: str, *, channel: int = 0, packets_each: int = 1) -> list[MediaBatch]:
    """Read a recording as interleaved media, so many packets in a batch."""
    frames = [interleave(channel, packet) for packet in recorded(name)]
    return [MediaBatch.of(b"".join(frames[at : at + packets_each])) for at in range(0, len(frames), packets_each)]
