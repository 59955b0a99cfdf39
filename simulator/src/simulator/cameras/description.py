"""A camera's session description (RFC 8866)."""

from collections.abc import Sequence

from simulator.packets import PreparedTrack


def control_of(index: int) -> str:
    """Build the last part of the track's control URL."""
    return f"trackID={index + 1}"


def camera_sdp(tracks: Sequence[PreparedTrack], name: str) -> bytes:
    """Build the SDP that DESCRIBE answers."""
    lines = ["v=0", "o=- 1742 1 IN IP4 0.0.0.0", f"s={name}", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
    for index, track in enumerate(tracks):
        lines.append(f"m={track.media} 0 RTP/AVP {track.payload_type}")
        lines.extend(track.sdp_lines)
        lines.append(f"a=control:{control_of(index)}")
    return ("\r\n".join(lines) + "\r\n").encode()
