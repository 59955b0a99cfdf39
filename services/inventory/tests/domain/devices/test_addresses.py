"""Addresses hold no credentials, and say what would be right without quoting a password."""

from uuid import UUID

import pytest
from pydantic import TypeAdapter

from inventory.domain.devices import addresses
from inventory.domain.devices.addresses import (
    check_networks,
    may_hold_stream_key,
    parse_camera_url,
    parse_read_back_template,
    parse_url_template,
    render,
)
from inventory.domain.devices.destination import check_provable
from inventory.domain.devices.recorder import Host
from inventory.importing.mistakes.translated import translate
from vonggac.auth import Credentials
from vonggac.events.inventory import RequiredProof
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.origin import Origin


def test_user_and_password_are_split_off_and_decoded() -> None:
    address = parse_camera_url("rtsp://admin:M%40t@10.1.2.3:8554/Streaming/Channels/101?x=1")
    assert address.url == "rtsp://10.1.2.3:8554/Streaming/Channels/101?x=1"
    assert address.credentials == Credentials("admin", "M@t")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.1.2.3", "RTSPS://Camera.Local./live", "rtsp://10.1.2.3:554?x=1/2", "rtsps://10.1.2.3:554/live",
        "rtmp://10.0.0.1./live/a", "https://[2001:DB8::1]/a.m3u8", "http://[2001:db8::1]:8080/a.ts?token=",
        "udp://239.1.1.1:5000", "rtsp://admin:x@10.1.2.3:/live",
    ],
)  # fmt: skip
def test_the_origin_of_an_address_is_that_of_its_text(url: str) -> None:
    address = parse_camera_url(url)
    assert address.origin == Origin.of(address.url)


def test_a_secret_in_a_path_is_found_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="holds a secret"):
            parse_camera_url("rtsp://10.1.2.3/live?token=S3cret")


def test_placeholders_for_a_login_in_the_path_stay() -> None:
    url = "rtsp://10.1.2.3/user={username}&password={password}&channel=1&stream=0.sdp"
    assert parse_camera_url(url).url == url


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("rtsp://10.1.2.3/user=admin&password=S3cret&channel=1", "write {password}"),
        ("rtsp://10.1.2.3/live?token=S3cret", "stored sealed"),
        ("ftp://10.1.2.3/live", "schemes: rtsp, rtsps, rtmp, rtmps, http or https for HLS"),
        ("http://10.1.2.3/live", ".m3u8 (HLS)"),
        ("udp://10.1.2.3", "udp://10.1.2.3:5000"),
        ("tcp://u:S3cret@10.1.2.3:5000", "no login"),
        ("gopher://admin:S3cret@10.1.2.3:5000", "not supported"),
        ("10.1.2.3/live", "rtsp://10.1.2.3:554/path"),
        ("rtsp://admin:S3c/ret@10.1.2.3/live", "percent-encoded"),
        ("rtsp://admin:80/S3cret@10.1.2.3/live", "%40"),
        ("rtsp://10.1.2.3/hành lang", "percent-encode"),
        ("rtsp://10.1.2.3/{channel}", "placeholder"),
        ("rtsp://10.1.2.3/{username", "placeholder"),
        ("rtsp:///live", "no host"),
        ("rtsp://:S3cret@10.1.2.3/live", "user:password@"),
        ("rtsp://host;password=S3cret/live", "no host name has"),
        ("rtsp://10.1.2.3%40S3cret/live", "no host name has"),
        ("rtsp://10.1.2.3/" + "a" * 1000, "1000"),
    ],
)
def test_a_wrong_address_is_refused_with_advice_and_without_the_password(url: str, advice: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_camera_url(url)
    assert advice in str(refused.value)
    assert "S3c" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("rtsp://10.1.2.3:554/live@main", "rtsp://10.1.2.3:554/live@main"),
        ("rtsp://admin:M%40t@10.1.2.3:8554/a@b/c?id=1@2", "rtsp://10.1.2.3:8554/a@b/c?id=1@2"),
        ("rtsp://[fd00::5]:554/live@sub", "rtsp://[fd00::5]:554/live@sub"),
        ("rtsp://cam.lan.vn:554/live@sub", "rtsp://cam.lan.vn:554/live@sub"),
        ("rtsp://cam5/live@sub", "rtsp://cam5/live@sub"),
        ("rtmp://10.1.2.3/live/cam@1", "rtmp://10.1.2.3/live/cam@1"),
    ],
)
def test_a_foreign_path_with_an_at_is_taken_as_it_is(text: str, url: str) -> None:
    assert parse_camera_url(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:12/S3cret@10.1.2.3/live",
        "rtsp://admin.x:12/S3cret@10.1.2.3/live",
        "rtsp://admin:12?S3cret@cam.vn/live",
        "rtsp://admin:12/S3cret@cam5:554/live",
        "rtsp://u:p@ss/S3cret@10.1.2.3/live",
        "rtsp://u:p@s.s/S3cret@10.1.2.3/live",
    ],
)
def test_an_at_that_may_end_a_login_is_refused_and_nothing_of_it_shown(text: str) -> None:
    with pytest.raises(ValueError, match="%40") as caught:
        parse_camera_url(text)
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize("template", ["rtsp://c/live", "rtsp://c/{facility_code}", "rtsp://{camera_code}/live"])
def test_a_template_names_the_camera_in_its_path(template: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_url_template(template)


def test_a_destination_of_a_scheme_without_a_usual_port_states_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "DESTINATION_SCHEMES", (*addresses.DESTINATION_SCHEMES, "srt"))
    assert parse_url_template("srt://c:9000/{camera_code}").origin == "srt://c:9000"
    with pytest.raises(ValueError, match=r"has no port, and srt has no usual one: write srt://10\.1\.2\.3:5000"):
        parse_url_template("srt://c/{camera_code}")


def test_a_template_is_filled_in() -> None:
    camera = UUID(int=7)
    template = parse_url_template("rtsp://c:8554/{facility_code}/{camera_code}/{camera_id}").url
    url = render(template, camera_code="CAM-1", facility_code="KCL-1", camera_id=camera)
    assert url == f"rtsp://c:8554/KCL-1/CAM-1/{camera}"


@pytest.mark.parametrize(
    "url",
    [
        "rtsps://10.1.2.3/live",
        "RTMP://10.1.2.3/live/key",
        "rtmps://10.1.2.3/live/key",
        "http://10.1.2.3/live/index.m3u8?quality=1",
        "https://10.1.2.3:8443/live.ts",
        "tcp://10.1.2.3:5000",
        "udp://239.1.1.1:5000",
        "udp://[ff02::1]:5000",
    ],
)
def test_every_scheme_of_a_camera_is_taken(url: str) -> None:
    assert parse_camera_url(url).url == url


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "rtmps"])
def test_every_scheme_of_a_destination_is_taken(scheme: str) -> None:
    template = f"{scheme}://10.9.9.9/live/{{camera_code}}"
    assert parse_url_template(template).url == template


@pytest.mark.parametrize("scheme", ["http", "tcp", "udp", "gopher"])
def test_another_scheme_of_a_destination_is_refused_naming_those_there_are(scheme: str) -> None:
    with pytest.raises(ValueError, match="schemes: rtsp, rtsps, rtmp, rtmps"):
        parse_url_template(f"{scheme}://10.9.9.9:80/{{camera_code}}.m3u8")


def test_only_an_ip_address_outside_the_allowed_networks_is_refused() -> None:
    allowed = AllowedNetworks.parse(["10.0.0.0/8", "fd00::/8"])
    for url in ("rtsp://10.1.2.3/1", "rtsp://camera.example/1", "rtsp://[fd00::1]/1"):
        check_networks(parse_camera_url(url), allowed)
    for url in ("rtsp://8.8.8.8/1", "rtsp://[2001:db8::1]:554/1", "rtsp://[::ffff:8.8.8.8]/1"):
        with pytest.raises(ValueError, match=r"none of the allowed networks \(10.0.0.0/8, fd00::/8\)"):
            check_networks(parse_camera_url(url), allowed)


@pytest.mark.parametrize("host", ["10.0.0.5", "[::ffff:10.0.0.5]", "10.0.0.5."])
def test_a_port_of_the_platform_itself_is_refused_in_every_spelling(host: str) -> None:
    allowed = AllowedNetworks.parse(["10.0.0.0/8"], ["10.0.0.0/24:554", "10.0.0.5/32:4222"])
    for url in (f"rtsp://{host}/1", f"rtsp://{host}:4222/1"):
        with pytest.raises(ValueError, match="a port of the platform itself"):
            check_networks(parse_camera_url(url), allowed)
    check_networks(parse_camera_url(f"rtsp://{host}:8554/1"), allowed)


@pytest.mark.parametrize(
    "target",
    ["?access_token=S3cret", "?api_key=S3cret", "?stream_key=S3cret", "?sig=S3cret", "?pw=S3cret", "?p%61ssword=S3cret",
     "/password:S3cret", "/user=admin_password=S3cret_channel=1", "?p%2561ssword=S3cret", "?Auth-Token=S3cret"],
)  # fmt: skip
def test_a_secret_under_any_name_is_refused_with_the_way_to_give_it(target: str) -> None:
    for parse, url in (
        (parse_camera_url, "rtsp://10.1.2.3/live"),
        (parse_url_template, "rtmp://10.1.2.3/live/{camera_code}"),
    ):
        with pytest.raises(ValueError, match=r"put it into the credentials and write \{password\}") as refused:
            parse(url + target)
        assert "S3cret" not in str(refused.value)
        filled = url + target.replace("S3cret", "{password}")
        if "%" not in target and "_channel" not in target:
            assert parse(filled).url == filled


def test_a_token_under_a_harmless_name_is_refused_at_a_camera_and_to_be_confirmed_at_an_rtmp_destination() -> None:
    token = "?sid=9f86d081884c7d659a2f"
    for parse, url in (
        (parse_camera_url, "rtmp://10.1.2.3/live/gate"),
        (parse_url_template, "rtsp://10.1.2.3/{camera_code}"),
    ):
        with pytest.raises(ValueError, match=r"looks like a key in 'sid='.* write \{password\}"):
            parse(url + token)
        assert parse(url + "?sid={password}").url == url + "?sid={password}"
    confirmable = "rtmp://10.1.2.3/live/{camera_code}" + token
    assert may_hold_stream_key(parse_url_template(confirmable).url)


@pytest.mark.parametrize(
    ("template", "held"),
    [
        ("rtmp://10.1.2.3/live/a8f3-k2j9-x0p1-q7w2/{camera_code}", True),
        ("rtmps://10.1.2.3/live/{camera_code}?k=a8f3-k2j9-x0p1-q7w2", True),
        ("rtmp://10.1.2.3/quangtri-ioc-2026/{camera_code}", False),
        ("rtmp://10.1.2.3/live/{password}/{camera_code}", False),
        ("rtsp://10.1.2.3/a8f3-k2j9-x0p1-q7w2/{camera_code}", False),
        (None, False),
    ],
)
def test_a_stream_key_in_the_path_of_an_rtmp_destination_is_seen(template: str | None, held: bool) -> None:
    assert may_hold_stream_key(template) is held


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps", "RTMP"])
@pytest.mark.parametrize("path", ["", "/", "/live", "/live/", "//live", "/live?key={password}"])
def test_a_foreign_rtmp_address_without_a_stream_is_refused_with_the_form_that_works(scheme: str, path: str) -> None:
    with pytest.raises(ValueError, match=r"RTMP needs both, write rtmps?://10.1.2.3/application/stream") as refused:
        parse_camera_url(f"{scheme}://10.1.2.3{path}")
    assert "thiếu tên luồng" in translate(str(refused.value)).vietnamese
    with pytest.raises(ValueError, match="RTMP needs both"):
        parse_url_template(f"{scheme}://10.9.9.9:1935/{{camera_code}}")
    assert parse_url_template(f"{scheme}://10.9.9.9/live/{{camera_code}}").url


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_a_foreign_read_back_by_rtmp_is_refused_for_nobody_can_read_it_back(scheme: str) -> None:
    template = f"{scheme}://10.9.9.9/live/{{camera_code}}"
    with pytest.raises(ValueError, match="only rtsp and rtsps can be read back") as refused:
        parse_read_back_template(template)
    assert "không đọc lại được" in translate(str(refused.value)).vietnamese
    # One that was stored before.
    with pytest.raises(ValueError, match="cannot be read back") as refused:
        check_provable(RequiredProof.VERIFIED, template)
    assert "không đọc lại được" in translate(str(refused.value)).vietnamese
    check_provable(RequiredProof.ACKNOWLEDGED, template)
    check_provable(RequiredProof.VERIFIED, "rtsps://10.9.9.9/{camera_code}")
    assert parse_read_back_template("rtsp://10.9.9.9/{camera_code}").url


@pytest.mark.parametrize(
    "host",
    ["010.20.1.5", "10.20.1.05", "10.20.257", "0x0a140105", "169082117", "10.0x14.1.5", "1.2.3.4.5", "10.20.1.256"],
)
def test_numbers_that_a_resolver_takes_for_another_address_are_refused(host: str) -> None:
    """One device has one address: `010.20.1.5` leads to 8.20.1.5, and `10.20.257` is found under no other camera."""
    for url in (f"rtsp://{host}/a", f"rtsp://u:p@{host}.:554/a", f"udp://{host}:5000"):
        with pytest.raises(ValueError, match="no IPv4 address"):
            parse_camera_url(url)
    with pytest.raises(ValueError, match="no IPv4 address"):
        parse_url_template(f"rtmp://{host}/live/{{camera_code}}")
    with pytest.raises(ValueError, match="no IPv4 address"):
        TypeAdapter(Host).validate_python(host)


@pytest.mark.parametrize("host", ["10.20.1.5", "10.20.1.5.", "cam5", "cam-5.1a", "5.vn", "0xcafe.example"])
def test_addresses_and_names_with_numbers_are_taken(host: str) -> None:
    assert parse_camera_url(f"rtsp://{host}/a").host == host
    assert TypeAdapter(Host).validate_python(host) == host
