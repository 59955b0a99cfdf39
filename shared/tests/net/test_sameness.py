"""One address, or one serial number, in many spellings."""

import pytest

from vonggac.net.sameness import normal_endpoint, normal_serial, normal_url


@pytest.mark.parametrize(
    "written",
    ["rtsp://10.1.1.1/ch1", "RTSP://10.1.1.1:554/ch1/", "rtsp://10.1.1.1//./ch%31", "rtsp://u:p@10.1.1.1/x/../ch1"],
)
def test_spellings_of_one_address_are_one(written: str) -> None:
    assert normal_url(written) == "rtsp://10.1.1.1/ch1"


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert normal_url("rtsp://[FD00::1]:554/a") == "rtsp://[fd00::1]/a"


def test_another_port_or_another_channel_is_another_address() -> None:
    urls = ["rtsp://10.1.1.1/a?channel=1", "rtsp://10.1.1.1/a?channel=2", "rtsp://10.1.1.1:8554/a?channel=1"]
    assert len({normal_url(url) for url in urls}) == 3
    assert normal_endpoint(urls[0]) == normal_endpoint(urls[1]) == ("10.1.1.1", 554)


def test_a_serial_number_is_the_same_in_any_case_and_with_spaces() -> None:
    assert normal_serial("DS-2CD 12ab") == normal_serial("ds-2cd12AB")
