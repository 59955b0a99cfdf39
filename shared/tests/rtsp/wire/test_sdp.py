import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError, PeerError
from vonggac.rtsp import Headers, SessionDescription, parse_sdp
from vonggac.rtsp.wire.announcement import announce_sdp
from vonggac.rtsp.wire.sdp import UNKNOWN_CODEC, base_url, media_base, resolve_control
from vonggac.rtsp.wire.tracks import check_order, plan_tracks

SPS = bytes.fromhex("6742c01f")
PPS = bytes.fromhex("68ce3c80")
SPROP = f"{base64.b64encode(SPS).decode()},{base64.b64encode(PPS).decode()}"

# In the manner of Hikvision: absolute controls, a media port of 0, vendor attributes.
HIKVISION = f"""v=0
o=- 1699999999 1699999999 IN IP4 192.168.1.64
s=Media Presentation
e=NONE
b=AS:5050
t=0 0
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/
m=video 0 RTP/AVP 96
c=IN IP4 0.0.0.0
b=AS:5000
a=recvonly
a=x-dimensions:1920,1080
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/trackID=1
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets={SPROP}
m=audio 0 RTP/AVP 8
a=recvonly
a=control:rtsp://192.168.1.64:554/Streaming/Channels/101/trackID=2
a=Media_header:MEDIAINFO=494D4B48010200000400000111710110401F000000FA000000000000000000000000000000000000;
a=appversion:1.0
"""
# In the manner of Dahua: relative controls below a URL with a query, a talk-back channel, CR without LF.
DAHUA = (
    "v=0\ro=- 2251938191 2251938191 IN IP4 0.0.0.0\rs=RTSP Session/2.0\rc=IN IP4 0.0.0.0\rt=0 0\r"
    "a=control:*\ra=range:npt=now-\r"
    "m=video 0 RTP/AVP 98\ra=control:trackID=0\ra=framerate:25.000000\ra=rtpmap:98 HEVC/90000\ra=recvonly\r"
    "m=audio 0 RTP/AVP 97\ra=control:trackID=5\ra=rtpmap:97 MPEG4-GENERIC/48000/2\ra=sendonly\r"
    "m=audio 0 RTP/AVP 8\ra=control:trackID=1\ra=rtpmap:8 PCMA/8000\ra=recvonly\r"
)
# In the manner of Axis: control URLs with a query of their own.
AXIS = """v=0
o=- 1 1 IN IP4 10.0.0.9
s=Session streamed with GStreamer
t=0 0
a=control:rtsp://10.0.0.9/axis-media/media.amp?videocodec=h264
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=control:rtsp://10.0.0.9/axis-media/media.amp/stream=0?videocodec=h264
"""


def test_a_hikvision_description_is_understood() -> None:
    sdp = parse_sdp(HIKVISION.encode())
    video, audio = sdp.media
    assert (video.kind, video.codec, video.clock_rate, video.payload_type) == ("video", "H264", 90000, 96)
    assert video.fmtp["packetization-mode"] == "1"
    assert video.parameter_sets == [SPS, PPS]
    assert (audio.codec, audio.clock_rate, audio.rtpmap) == ("PCMA", 8000, ("PCMA", 8000, 1))
    assert [track.control_url for track in plan_tracks(sdp, {"video", "audio"}, "rtsp://x/")] == [
        "rtsp://x/Streaming/Channels/101/trackID=1",
        "rtsp://x/Streaming/Channels/101/trackID=2",
    ]


def test_a_dahua_description_is_understood_and_its_talk_back_left_alone() -> None:
    sdp = parse_sdp(DAHUA.encode())
    base = "rtsp://h:554/cam/realmonitor?channel=1&subtype=0/"
    video, audio = plan_tracks(sdp, ("video", "audio"), base)
    assert (video.codec, video.control_url) == ("H265", f"{base}trackID=0")
    assert (audio.codec, audio.index, audio.control_url) == ("PCMA", 2, f"{base}trackID=1")
    assert [video.rtp_channel, video.rtcp_channel, audio.rtp_channel, audio.rtcp_channel] == [0, 1, 2, 3]


def test_an_axis_control_with_a_query_stays_as_it_is_but_on_our_host() -> None:
    sdp = parse_sdp(AXIS.encode())
    (track,) = plan_tracks(sdp, ["video"], "rtsp://x/")
    assert track.control_url == "rtsp://x/axis-media/media.amp/stream=0?videocodec=h264"
    assert media_base("rtsp://x/", sdp) == "rtsp://10.0.0.9/axis-media/media.amp?videocodec=h264"


@pytest.mark.parametrize(
    ("base", "control", "expected"),
    [
        ("rtsp://h/a", None, "rtsp://h/a"),
        ("rtsp://h/a", "*", "rtsp://h/a"),
        ("rtsp://h/a", " ", "rtsp://h/a"),
        ("rtsp://h/a", "trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a/", "trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a?c=1&s=0", "trackID=1", "rtsp://h/a?c=1&s=0/trackID=1"),
        ("rtsp://h/a", "?ctype=video", "rtsp://h/a?ctype=video"),
        ("rtsp://h:8554/a/b?c", "/d/track1", "rtsp://h:8554/d/track1"),
        ("rtsp://h/a", "rtsp://u:p@other/x/1", "rtsp://other/x/1"),
    ],
)
def test_controls_resolve_as_cameras_mean_them(base: str, control: str | None, expected: str) -> None:
    assert resolve_control(base, control) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Content-Base", "rtsp://h/base/"), ("Content-Location", "rtsp://h/loc")], "rtsp://h/base/"),
        ([("Content-Location", "rtsp://h/loc")], "rtsp://h/loc"),
        ([("Content-Base", "rtsp://u:p@h/base/")], "rtsp://h/base/"),
        ([("Content-Base", "/relative/")], "rtsp://h/asked"),
        ([], "rtsp://h/asked"),
    ],
)
def test_content_base_goes_before_content_location_before_the_request(
    headers: list[tuple[str, str]], expected: str
) -> None:
    assert base_url(Headers(headers), "rtsp://h/asked") == expected


def test_the_announced_description_keeps_the_coding_and_has_its_own_origin() -> None:
    source = parse_sdp(HIKVISION.encode())
    announced = announce_sdp(source, [0], origin_id=7)
    text = announced.encode().decode()
    assert "o=- 7 1 IN IP4 127.0.0.1" in text
    assert "192.168.1.64" not in text
    (video,) = parse_sdp(announced.encode()).media
    assert (video.control, video.codec, video.fmtp) == ("trackID=0", "H264", source.media[0].fmtp)


def test_what_is_written_reads_back_the_same() -> None:
    sdp = announce_sdp(parse_sdp(DAHUA.encode()), [0, 2], origin_id=1)
    assert parse_sdp(sdp.encode()) == sdp


def test_an_empty_recorder_slot_has_no_track() -> None:
    sdp = parse_sdp(b"v=0\r\ns=empty\r\nt=0 0\r\n")
    with pytest.raises(PeerError) as caught:
        plan_tracks(sdp, ("video",), "rtsp://h/")
    assert caught.value.cause is Cause.NO_TRACK


def test_sound_alone_is_no_video_track() -> None:
    sdp = parse_sdp(b"v=0\r\nm=audio 0 RTP/AVP 8\r\n")
    with pytest.raises(PeerError) as caught:
        plan_tracks(sdp, ("video", "audio"), "rtsp://h/")
    assert caught.value.cause is Cause.NO_TRACK
    assert [track.codec for track in plan_tracks(sdp, ("audio",), "rtsp://h/")] == ["PCMA"]


def test_odd_lines_are_left_out() -> None:
    sdp = parse_sdp(
        b"\xff\xfe\r\nv=0\r\nnonsense\r\nm=video\r\nm=video x/2 RTP/AVP 96 abc\r\na=rtpmap:96 H264\r\n"
        b"a=fmtp:96 sprop-parameter-sets=%%%,Zw==\r\na=\r\n=\r\n"
    )
    (video,) = sdp.media
    assert (video.port, video.payload_types, video.codec, video.clock_rate) == (0, (96,), "H264", 90000)
    assert video.parameter_sets == [b"\x67"]


@pytest.mark.parametrize("data", [b"", b"<html>no</html>", b"v=0\r\n" + b"m=video 0 RTP/AVP 96\r\n" * 20, b"a" * 70000])
def test_what_is_no_description_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_sdp(data)


@given(st.lists(st.sampled_from([*HIKVISION.splitlines(), *DAHUA.split("\r"), "m=", "a=rtpmap:", "a=fmtp"])))
def test_any_mixture_of_lines_raises_nothing_but_rtsp_error(lines: list[str]) -> None:
    try:
        sdp = parse_sdp("\n".join(lines).encode())
        tracks = plan_tracks(sdp, ("video", "audio"), "rtsp://h/")
    except PeerError:
        return
    announced = announce_sdp(sdp, [track.index for track in tracks], origin_id=1)
    assert len(parse_sdp(announced.encode()).media) == len(tracks)


@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_rtsp_error(data: bytes) -> None:
    try:
        parsed = parse_sdp(b"m=video 0 RTP/AVP 96\n" + data)
    except MalformedError:
        return
    for media in parsed.media:
        assert isinstance(media.codec, str)
        assert media.clock_rate > 0
        assert all(media.parameter_sets)


@pytest.mark.parametrize(
    ("section", "codec", "rate", "payload_type"),
    [
        ("m=video 0 RTP/AVP 96\na=rtpmap:97 H264/90000\na=fmtp:97 packetization-mode=1", "H264", 90000, 96),
        ("m=video 0 RTP/AVP 98\na=fmtp:98 sprop-vps=QAE=;sprop-sps=QgE=", "H265", 90000, 98),
        ("m=video 0 RTP/AVP 96\na=fmtp:96 sprop-parameter-sets=Z0I=,aM4=", "H264", 90000, 96),
        ("m=video 0 RTP/AVP\na=rtpmap:96 H264/90000", "H264", 90000, 96),
        ("m=video 0 RTP/AVP 96\na=fmtp:96 packetization-mode=1", "H264", 90000, 96),
        ("m=video 554 RTP/AVP 96\nb=AS:-1\nc=IN IP4 1.2.3.4/127\na=rtpmap: 96\th265 / 90000", "H265", 90000, 96),
        ("m=video 0/2 RTP/AVP 97 96\na=rtpmap:96 H264/90000\na=rtpmap:97 JPEG/90000", "JPEG", 90000, 97),
        ("m=video 0 RTP/AVP 96\na=rtpmap\na=rtpmap:\na=rtpmap:96 H264", "H264", 90000, 96),
        ("m=video zero RTP/AVP 96\na=rtpmap:96 h265/0", "H265", 90000, 96),
        ("m=audio 0 RTP/AVP 0", "PCMU", 8000, 0),
        ("m=video 0 RTP/AVP 26\na=rtpmap:26", "JPEG", 90000, 26),
        ("m=video 0 RTP/AVP 96", "", 90000, 96),
    ],
)
def test_missing_and_wrong_fields_of_a_medium_are_made_up_for(
    section: str, codec: str, rate: int, payload_type: int
) -> None:
    (media,) = parse_sdp(f"v=0\n{section}\n".encode()).media
    assert (media.codec, media.clock_rate, media.payload_type) == (codec, rate, payload_type)


def test_a_destination_gets_the_coding_that_the_camera_left_out() -> None:
    sdp = parse_sdp(
        b"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:97 H264/90000\na=fmtp:97 packetization-mode=1\n"
        b"m=audio 0 RTP/AVP 8\nm=video 0 RTP/AVP 98\na=fmtp:98 sprop-vps=QAE=\n"
    )
    text = announce_sdp(sdp, [0, 1, 2], origin_id=1).encode().decode()
    for line in ("rtpmap:96 H264/90000", "fmtp:96 packetization-mode=1", "rtpmap:8 PCMA/8000", "rtpmap:98 H265/90000"):
        assert f"a={line}\r\n" in text


@pytest.mark.parametrize(
    ("rtpmap", "fmtp", "refused"),
    [
        ("H265/90000", "sprop-max-don-diff=2", True),
        ("H265/90000", "sprop-max-don-diff=0", False),
        ("H264/90000", "packetization-mode=2", True),
        ("H264/90000", "packetization-mode=1;sprop-max-don-diff=2", False),
    ],
)
def test_pictures_out_of_decoding_order_are_refused_by_name(rtpmap: str, fmtp: str, refused: bool) -> None:
    sdp = parse_sdp(f"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 {rtpmap}\na=fmtp:96 {fmtp}\n".encode())
    tracks = plan_tracks(sdp, ("video",), "rtsp://h/")
    if not refused:
        check_order(tracks)
        return
    with pytest.raises(PeerError, match="out of decoding order") as caught:
        check_order(tracks)
    assert caught.value.cause is Cause.CODEC_UNSUPPORTED


def test_the_video_that_can_be_judged_is_taken_before_another() -> None:
    sdp = parse_sdp(
        b"v=0\nm=video 0 RTP/AVP 26\na=control:jpeg\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=inactive\n"
        b"a=control:off\nm=video 0 RTP/AVP 97\na=rtpmap:97 H265/90000\na=control:main\n"
        b"m=video 0 RTP/AVP 98\na=rtpmap:98 H264/90000\na=control:sub\n"
    )
    (track,) = plan_tracks(sdp, ("video",), "rtsp://h/")
    assert (track.index, track.control_url) == (2, "rtsp://h/main")
    only_jpeg = SessionDescription(media=sdp.media[:2])
    assert plan_tracks(only_jpeg, ("video",), "rtsp://h/")[0].codec == "JPEG"


def test_parameter_sets_lose_the_start_codes_that_some_cameras_leave_on() -> None:
    encoded = ",".join(base64.b64encode(code + nal).decode() for code, nal in ((b"\0\0\0\1", SPS), (b"\0\0\1", PPS)))
    sdp = parse_sdp(f'v=0\nm=video 0 RTP/AVP 96\na=fmtp:96 sprop-parameter-sets="{encoded}"\n'.encode("latin-1"))
    assert sdp.media[0].parameter_sets == [SPS, PPS]


def test_text_that_is_not_utf8_costs_nothing() -> None:
    sdp = parse_sdp("v=0\ns=Caméra d'entrée\ni=\xff\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n".encode("latin-1"))
    assert (len(sdp.media), sdp.media[0].codec) == (1, "H264")
    assert sdp.name.startswith("Cam")


@pytest.mark.parametrize("name", ["Abc12345", "S3CRET!", "x" * 300, "H264\u200b", "../../etc"])
def test_a_codec_that_no_registry_has_is_not_repeated(name: str) -> None:
    """A camera that writes its password there would find it in every report."""
    sdp = parse_sdp(f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/90000\r\n".encode())
    assert sdp.media[0].codec == UNKNOWN_CODEC


@pytest.mark.parametrize(
    ("directions", "chosen"),
    [
        (("sendonly", "sendonly"), 1),
        (("sendrecv", "sendrecv"), 1),
        (("recvonly", "sendonly"), 1),
        (("recvonly", "inactive"), 0),
        (("inactive", "inactive"), 1),
    ],
)
def test_of_videos_the_one_that_can_be_read_is_taken_whatever_direction_a_camera_writes(
    directions: tuple[str, str], chosen: int
) -> None:
    media = [f"m=video 0 RTP/AVP {number}\r\na={name}\r\n" for number, name in zip((26, 96), directions, strict=True)]
    sdp = parse_sdp(("v=0\r\n" + "".join(media) + "a=rtpmap:96 H264/90000\r\n").encode())
    assert [track.index for track in plan_tracks(sdp, ("video",), "rtsp://h/")] == [chosen]


@pytest.mark.parametrize("text", ["admin:s3cret-Xem@10.0.0.9", "s\x1b[2J\x07", "x" * 1_000, "\u202egnp.exe"])
def test_free_text_of_a_camera_goes_on_to_no_destination(text: str) -> None:
    """A camera may repeat its login in its description, or signs that a reader's terminal obeys."""
    source = parse_sdp(
        f"v=0\no=- 1 1 IN IP4 {text}\ns={text}\ni={text}\nu={text}\ne={text}\nc=IN IP4 {text}\nb={text}\nt=0 0\n"
        f"a=tool:{text}\na=x-login:{text}\nm=video 0 RTP/AVP 96\ni={text}\na=rtpmap:96 H264/90000/1 {text}\n"
        f"a=fmtp:96 packetization-mode=1;x={text}; profile-level-id={text};sprop-parameter-sets=Z0I=,{text},aM4=\n"
        f"a={text}\na=control:{text}\nm=audio 0 RTP/AVP 97\na=rtpmap:97 {text}/8000\na=fmtp:97 {text}\n".encode()
    )
    announced = announce_sdp(source, [0, 1], origin_id=7).encode().decode()
    assert announced == (
        "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000/1\r\n"
        "a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0I=,aM4=\r\na=control:trackID=0\r\n"
        "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 OTHER/8000\r\na=control:trackID=1\r\n"
    )


@pytest.mark.parametrize(
    ("rtpmap", "fmtp"),
    [
        (
            "H264/90000",
            "profile-level-id=640028; packetization-mode=1; sprop-parameter-sets=Z0I=,AAAAAWjO; max-fs=99",
        ),
        ("H265/90000", "profile-id=1; tx-mode=SRST; sprop-vps=QAE=; sprop-sps=QgE=; sprop-pps=RAE="),
        ("mpeg4-generic/16000/2", "streamtype=5; mode=AAC-hbr; config=1408; sizeLength=13; indexLength=3"),
        ("MP4A-LATM/48000", "profile-level-id=1; cpresent=0; config=400023203fc0"),
        ("opus/48000/2", "minptime=10; useinbandfec=1; sprop-stereo=0"),
        ("G726-32/8000", ""),
    ],
)
def test_what_a_destination_needs_to_decode_goes_on_as_the_camera_wrote_it(rtpmap: str, fmtp: str) -> None:
    written = f"a=rtpmap:96 {rtpmap}\r\n" + (f"a=fmtp:96 {fmtp}\r\n" if fmtp else "")
    source = parse_sdp(f"v=0\r\nm=video 0 RTP/AVP 96\r\n{written}".encode())
    assert written in announce_sdp(source, [0], origin_id=7).encode().decode()
