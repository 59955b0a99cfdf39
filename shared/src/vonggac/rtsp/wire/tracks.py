"""Chooses the media of a session to set up, and their interleaved channels."""

from collections.abc import Collection
from dataclasses import dataclass

from vonggac.events.causes import Cause
from vonggac.media.h26x import video_codec
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.url import on_host_of
from vonggac.rtsp.wire.sdp import MediaDescription, SessionDescription, resolve_control


@dataclass(frozen=True, slots=True)
class Track:
    """One medium of a session. `index`: its place in the description's `media`; channels: as agreed in SETUP."""

    index: int
    media: MediaDescription
    control_url: str
    rtp_channel: int
    rtcp_channel: int

    @property
    def kind(self) -> str:
        return self.media.kind

    @property
    def codec(self) -> str:
        return self.media.codec

    @property
    def clock_rate(self) -> int:
        return self.media.clock_rate

    @property
    def payload_type(self) -> int | None:
        return self.media.payload_type


def plan_tracks(sdp: SessionDescription, kinds: Collection[str], base: str) -> tuple[Track, ...]:
    """Choose the first medium of each kind, in the description's order, with channels 0-1, 2-3 …

    Of several videos the first one in H.264 or H.265. A camera's talk-back channel (audio, sendonly in ONVIF's words)
    and a medium that is inactive are used only when there is no other of their kind. Control URLs stay on the host
    of `base`, whatever host they name.
    Raises PeerError no_track when video is wanted and missing, or when no medium is left.
    """
    chosen = {kind: index for kind in kinds if (index := _first_of(sdp, kind)) is not None}
    if "video" in kinds and "video" not in chosen:
        raise PeerError(Cause.NO_TRACK, "the session description has no video")
    if not chosen:
        raise PeerError(Cause.NO_TRACK, f"the session description has none of: {', '.join(sorted(kinds))}")
    return tuple(
        Track(
            index=index,
            media=sdp.media[index],
            control_url=on_host_of(resolve_control(base, sdp.media[index].control), base),
            rtp_channel=2 * number,
            rtcp_channel=2 * number + 1,
        )
        for number, index in enumerate(sorted(chosen.values()))
    )


def check_order(tracks: Collection[Track]) -> None:
    """Refuse NAL units out of decoding order: no camera needs them. Raises PeerError codec_unsupported."""
    for track in tracks:
        if track.media.interleaves_nals:
            sign = "packetization-mode=2" if track.codec == "H264" else "sprop-max-don-diff above 0"
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the {track.codec} comes out of decoding order ({sign})")


def check_channels(tracks: Collection[Track]) -> None:
    """Refuse a peer that uses one channel number twice. Raises MalformedError."""
    numbers = [number for track in tracks for number in (track.rtp_channel, track.rtcp_channel)]
    if len(set(numbers)) != len(numbers):
        raise MalformedError("SETUP was answered with a channel number that is in use")


def _first_of(sdp: SessionDescription, kind: str) -> int | None:
    indexes = [index for index, media in enumerate(sdp.media) if media.kind == kind and media.payload_types]
    incoming = [index for index in indexes if sdp.media[index].direction not in ("sendonly", "inactive")]
    # What a server sends is sendonly in RFC 4566's words, and no camera takes a picture back.
    active = [index for index in indexes if sdp.media[index].direction != "inactive"]
    usable = [
        index
        for index in (*incoming, *active, *(() if incoming else indexes))
        if video_codec(sdp.media[index].codec) is not None
    ]
    return next(iter(usable or incoming or indexes), None)
