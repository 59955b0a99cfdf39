"""HLS playlists: what is live, and what is refused."""

import pytest

from forwarder.relay.sources.hls import best_variant, parse_playlist
from vonggac.events import Cause
from vonggac.net.errors import MalformedError, PeerError

URL = "http://camera.example/hls/live.m3u8"


def test_segments_are_numbered_and_resolved_against_the_playlist() -> None:
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:70\n#EXTINF:4.0,\na.ts\n#EXTINF:3.9,\n/b.ts?x=1\n"
    playlist = parse_playlist(text, URL)
    assert [(segment.number, segment.url) for segment in playlist.segments] == [
        (70, "http://camera.example/hls/a.ts"),
        (71, "http://camera.example/b.ts?x=1"),
    ]
    assert (playlist.target_s, playlist.ended) == (4.0, False)


def test_the_variant_with_the_highest_bandwidth_is_taken() -> None:
    text = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n#EXT-X-STREAM-INF:CODECS="a,b",BANDWIDTH=900\nhigh.m3u8\n'
    )
    assert best_variant(text, URL) == "http://camera.example/hls/high.m3u8"
    assert best_variant("#EXTM3U\n#EXTINF:4,\na.ts\n", URL) is None


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXT-X-BYTERANGE:100@0"])
def test_what_is_not_supported_is_named(line: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_playlist(f"#EXTM3U\n{line}\n#EXTINF:4,\na.ts\n", URL)
    assert caught.value.cause is Cause.CODEC_UNSUPPORTED
    assert line[1:8] in caught.value.message


@pytest.mark.parametrize("text", ["", "<html>", "#EXTM3U\n#EXTINF:x,\na.ts\n", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n"])
def test_what_is_no_playlist_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_playlist(text, URL)
