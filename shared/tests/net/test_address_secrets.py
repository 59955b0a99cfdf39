"""What looks like a secret in an address is found in every spelling, and what people write otherwise is left alone."""

import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.net.address_secrets import key_like_segments, random_parameters, secret_parameters
from vonggac.telemetry import redact

SECRET = "Zx81kQ"
SPELLINGS = [
    "?access_token={}", "?api_key={}", "?apiKey={}", "?X-API-Key={}", "?stream_key={}", "?streamKey={}",
    "?sig={}", "?signature={}", "?pw={}", "?psw={}", "?pwd={}", "?passwd={}", "?password={}", "?PASSWORD={}",
    "?rtsp_password={}", "?userPassword={}", "?p%61ssword={}", "?%70%61%73%73%77%6f%72%64={}",
    "?p%2561ssword={}", "?password%3D{}", "/password:{}", "?token:{}",
    "/user=admin_password={}_channel=1_stream=0.sdp", "/user=admin&password={}&channel=1", "/live;auth={}",
    "?a=1&secret={}", "?auth[key]={}", "?credential={}", "?jwt={}", "?hmac={}", "?passphrase={}", "?sign={}",
    "?mat_khau={}", "?accesskey={}", "?private-key={}", "?session_id={}",
    "/videostream?loginuse=admin&loginpas={}", "?userpass={}", "?pass1={}", "?pw2={}", "?cred={}", "?bearer={}",
    "?md5={}", "?playkey={}", "?password[]={}", "?password%5B0%5D={}", "?stream-key%5B%5D={}", "?pass_word={}",
    "?password+={}", "?password%20={}", "?password%00={}", "?pass%0d%0aword={}", "?p%E2%80%8Bassword={}",
    "?%7B%22password%22:%22{}%22%7D", "?%D1%80assword={}", "?p%D0%B0ssword={}", "?%EF%BD%90assword={}",
    "?m%E1%BA%ADt%20kh%E1%BA%A9u={}", "?mat+khau={}", "?password%EF%BC%9D{}", "?password%EF%BC%9A{}",
    "?u=admin&p={}", "?login=admin:{}", "/admin:{}/main", "/0/admin:{}/main", "/passwd/{}/main",
    "?p%25252525252561ssword={}",
    "?verification_code={}", "?safetyCode={}", "?auth_code={}", "?rtmpkey={}", "?userpw={}", "?passw0rd={}",
    "?psswd={}", "?oauth={}", "?totp={}", "?mk={}", "?tk=admin&p={}", "?account=admin&ps={}", "?ma_bi_mat={}",
    "?maxacthuc={}", "?m%C3%A3%20b%C3%AD%20m%E1%BA%ADt={}", "?pass+word={}", "?contrasena={}",
    "?%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C={}",
    "?camerapass={}", "?dvrpass={}", "?rtsppass={}", "?streampass={}", "?pass_rtsp={}", "?pass-admin={}", "?passw={}",
    "?pasw={}", "?m%C3%A3_b%E1%BA%A3o_m%E1%BA%ADt={}", "?%E5%8F%A3%E4%BB%A4={}", "?kennwort={}", "?clave={}",
    "?ingestkey={}", "?device-key={}", "?channelKey={}", "?streamEncryptKey={}", "?decryption_key={}", "?admpass={}",
    "/pass/{}/x", "/secret/{}", "/access_token/{}/x", "/user:admin/pass:{}/x", "/0/nguyenvana:{}/main",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_found_whatever_its_name_looks_like(spelling: str) -> None:
    found = list(secret_parameters(spelling.format(SECRET)))
    assert [value for _, value in found if SECRET in value] != []


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_found_in_an_address_is_hidden_in_a_text(spelling: str) -> None:
    text = f"cannot open rtsp://10.0.0.5:554{spelling.format(SECRET)} (timeout)"
    shown = redact(text)
    assert SECRET not in shown
    assert shown.startswith("cannot open rtsp://10.0.0.5:554")
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "target",
    [
    "/Streaming/Channels/101", "/cam/realmonitor?channel=1&subtype=0", "?keyframe=2", "/design=3",
    "/h264/ch1/main/av_stream", "?transportmode=unicast&profile=Profile_1", "/live/QT-01", "/user=admin",
    "?monkey=1", "?author=a", "?spin=1", "/ch1:main", "?p=1&inst=2", "/videoinput_1:0/h264_1/onvif.stm", "?bypass=1",
    "/H%C3%A0%20N%E1%BB%99i", "?hashtag=1", "/password", "?unit=u:1", "/vod/mp4:sample_115k.mov", "/0/mp4:clip",
    "/Streaming/tracks/701?starttime=20261127t080000z", "/unicast/c1/s0/live", "/chID=1&streamType=main", "?minima=1",
    "/token", "?i-keyframe=1", "/axis-media/media.amp?videocodec=h264&resolution=1920x1080", "/passage/1", "?khoa=noi",
    "?passenger=1", "?compass=n", "?pass_by=1", "?passive=1", "/clavele=1", "?keychannel=1",
    "/rtsp_tunnel?h26x=4&line=1&inst=1", "/PSIA/Streaming/channels/0?videoCodecType=H.264", "/onvif-media/media.amp",
],
)  # fmt: skip
def test_an_ordinary_address_holds_none(target: str) -> None:
    assert list(secret_parameters(target)) == []


@pytest.mark.parametrize(
    "target", ["?password=%26{}", "?password=%2526{}", "?pwd=%2f{}", "/passwd/{}/x", "?pw=%23{}&b=1"]
)
def test_a_separator_that_is_encoded_ends_no_secret(target: str) -> None:
    assert [value for _, value in secret_parameters(target.format(SECRET)) if SECRET in value] != []


TOKENS = [
    "9f86d081884c7d659a2feaa0c55ad015", "kX9vQ2mT7pLw4RzB", "a8f3-k2j9-x0p1-q7w2", "Pq3-xZ7_bK9tLm2Vw5Yr8A",
    "xkqjzvwpmtrbnlcd",
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("place", ["?sid={}", "?a=1&st={}", "/live;code={}/x", "?s%69d={}", "?k={}%3D%3D"])
def test_a_token_is_known_by_its_value_whatever_its_name_is(token: str, place: str) -> None:
    assert len(list(random_parameters(place.format(token)))) == 1
    assert list(random_parameters(place.replace("=", "-").format(token))) == []


@pytest.mark.parametrize(
    "value",
    [
    "MediaProfile_Channel1_MainStream", "DS-2CD2143G0-I20190101AAWRC12345678", "20261127t080000z", "1920x1080",
    "0f8fad5b-d9cb-469f-a165-70867728950e", "{password}", "1732780800123456", "h264_1920x1080_25fps_4mbps",
    "profile_1_h264", "truongtieuhocthanhcong", "00408c123abc", "2026-11-27T08:00:00+07:00", "QuangTriProvinceIoc2026",
],
)  # fmt: skip
def test_a_value_that_addresses_of_cameras_have_is_no_token(value: str) -> None:
    assert list(random_parameters(f"/a?profile={value}&x={value}")) == []


@pytest.mark.parametrize("coded", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("place", ["?basic={}", "?a=1&x={}", "/login/{}/main", "/{}", "?x=Basic+{}"])
def test_a_login_in_base64_is_found_by_its_form(coded: Callable[[bytes], bytes], place: str) -> None:
    login = coded(f"admin:{SECRET}~~?".encode()).decode()
    for word in (login, login.rstrip("="), quote(login)):
        assert [value for _, value in secret_parameters(place.format(word))] != []


@pytest.mark.parametrize(
    "inner", [f"rtsp://admin:{SECRET}@10.0.0.7/x", f"http://:{SECRET}@cam.example:80/", f"RTSP://a:{SECRET}@[fd00::1]/"]
)
def test_the_login_of_an_address_within_the_address_is_found(inner: str) -> None:
    for coded in (quote(inner, safe=""), quote(quote(inner, safe=""), safe="")):
        assert SECRET in {value for _, value in secret_parameters(f"?src={coded}")}


def test_a_name_that_is_encoded_a_hundred_thousand_times_is_found_at_once() -> None:
    began_s = time.process_time()
    assert [*secret_parameters(f"?p%{'25' * 100_000}61ssword={SECRET}")] == [("password", SECRET)]
    assert time.process_time() - began_s < 1


@given(st.text(max_size=200))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    list(secret_parameters(text))
    redact(f"%{text}")


@given(st.sampled_from(["password", "stream_key", "sig", "pw"]), st.data())
def test_any_letter_of_a_name_may_be_encoded(name: str, data: st.DataObject) -> None:
    encoded = "".join(f"%{ord(sign):02x}" if data.draw(st.booleans()) else sign for sign in name)
    if data.draw(st.booleans()):
        encoded = quote(encoded)
    assert SECRET not in redact(f"rtsp://h/a?{encoded}={SECRET}&b=1")
    assert next(secret_parameters(f"?{encoded}={SECRET}&b=1"))[1] == SECRET


@pytest.mark.parametrize(
    "segment",
    [
    "a8f3-k2j9-x0p1-q7w2", "0f8fad5b-d9cb-469f-a165-70867728950e", "live_123456789_aBcDeFgHiJ",
    "9f86d081884c7d659a2f", "kX9vQ2mT7pLw", "stream-{camera_id}-a8f3k2j9x0p1",
    "xkqjzvwpmtrbnlcd", "XKQJZVWPMTRBNLCD", "0123456789012345",
],
)  # fmt: skip
def test_a_segment_without_sense_looks_like_a_key(segment: str) -> None:
    assert key_like_segments(f"app/{segment}/{{camera_code}}") == [segment]
    assert key_like_segments(f"app/{quote(segment[0])}%{ord(segment[1]):02x}{segment[2:]}") == [segment]


@pytest.mark.parametrize(
    "segment",
    [
    "live", "quangtri-ioc-2026", "Trung-tam-giam-sat", "province", "camera0123456789", "QuangTriProvince",
    "kcl_dong_ha_01", "{camera_code}", "{camera_code}-cam", "truongtieuhocthanhcong", "benhviennghiatrung",
    "202611260730",
],
)  # fmt: skip
def test_a_name_does_not(segment: str) -> None:
    assert key_like_segments(f"app/{segment}") == []


def test_a_known_secret_is_hidden_in_capitals_too() -> None:
    """A camera repeats its password where names of codecs are written in capitals."""
    assert "ABC12345" not in redact("the video is ABC12345, not H.264", ["Abc12345"])
    assert "abc%31" not in redact("x=abc%312345", ["Abc12345"])
