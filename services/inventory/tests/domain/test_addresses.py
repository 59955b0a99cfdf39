"""Addresses hold no credentials, and say what would be right without quoting a password."""

from uuid import UUID

import pytest

from inventory.domain.addresses import parse_camera_url, parse_url_template, render
from vonggac.auth import Credentials


def test_user_and_password_are_split_off_and_decoded() -> None:
    address = parse_camera_url("rtsp://admin:M%40t@10.1.2.3:8554/Streaming/Channels/101?x=1")
    assert address.url == "rtsp://10.1.2.3:8554/Streaming/Channels/101?x=1"
    assert address.credentials == Credentials("admin", "M@t")


def test_placeholders_for_a_login_in_the_path_stay() -> None:
    url = "rtsp://10.1.2.3/user={username}&password={password}&channel=1&stream=0.sdp"
    assert parse_camera_url(url).url == url


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("rtsp://10.1.2.3/user=admin&password=S3cret&channel=1", "write password={password}"),
        ("rtsp://10.1.2.3/live?token=S3cret", "stored sealed"),
        ("rtmp://10.1.2.3/live", "must be rtsp://"),
        ("10.1.2.3/live", "rtsp://10.1.2.3:554/path"),
        ("rtsp://admin:S3c/ret@10.1.2.3/live", "percent-encoded"),
        ("rtsp://admin:80/S3cret@10.1.2.3/live", "%40"),
        ("rtsp://10.1.2.3/hành lang", "percent-encode"),
        ("rtsp://10.1.2.3/{channel}", "placeholder"),
        ("rtsp://10.1.2.3/{username", "placeholder"),
        ("rtsp:///live", "no host"),
        ("rtsp://10.1.2.3/" + "a" * 1000, "1000"),
    ],
)
def test_a_wrong_address_is_refused_with_advice_and_without_the_password(url: str, advice: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_camera_url(url)
    assert advice in str(refused.value)
    assert "S3c" not in str(refused.value)


@pytest.mark.parametrize("template", ["rtsp://c/live", "rtsp://c/{facility_code}", "rtsp://{camera_code}/live"])
def test_a_template_names_the_camera_in_its_path(template: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_url_template(template)


def test_a_template_is_filled_in() -> None:
    camera = UUID(int=7)
    template = parse_url_template("rtsp://c:8554/{facility_code}/{camera_code}/{camera_id}").url
    url = render(template, camera_code="CAM-1", facility_code="KCL-1", camera_id=camera)
    assert url == f"rtsp://c:8554/KCL-1/CAM-1/{camera}"
