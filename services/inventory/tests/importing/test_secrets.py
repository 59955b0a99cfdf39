"""A login that somebody typed into the wrong cell is hidden, and what belongs in a register is shown."""

import pytest

from inventory.importing.mistakes.secrets import hide_secrets, was_hidden


@pytest.mark.parametrize(
    "text",
    [
        "MatKhau#2021", "admin:MatKhau#2021", "admin/MatKhau2021", "admin:12345", "root: MatKhau", "kcl.a:MatKhau2021",
        "rtsp://admin:MatKhau#2021@10.1.1.9/1", "admin:MatKhau#2021@cam.local/1", "rtsp:/admin:MatKhau@10.1.1.9/1",
        "rtsp//admin:MatKhau@10.1.1.9/1", "http://10.1.1.9/?user=admin&pwd=MatKhau", "Cổng admin:MatKhau1@10.1.1.9",
        "Mật khẩu: MatKhau2021",
    ],
)  # fmt: skip
def test_what_looks_like_a_login_is_hidden(text: str) -> None:
    assert "MatKhau" not in hide_secrets(text)
    assert "12345" not in hide_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "KCL#01", "Khu A: tầng 2", "0a:1b:2c:3d:4e:5f", "10.1.1.9:554", "[fd00::1]:554", "cam-01.qt.vn:8554", "08:30",
        "07/05/2021 14:30", "1742/UBND-VX", "805/QĐ-UBND2021", "mau.2021@quangtri.gov.vn", "+84 912 345 678", "=1+1",
        "rtsp://10.1.1.9:554/cam?channel=1&subtype=0", "rtsp://10.1.1.9/user={username}&password={password}&stream=0.sdp",
        "2021-05-07T14:30+07:00", "Trường Tiểu học Cam An (cơ sở 2)", "10.1.1.9/Streaming/Channels/101",
        "realmonitor?channel=1&subtype=0", "H%C3%A0nh%20lang1",
    ],
)  # fmt: skip
def test_what_belongs_in_a_register_is_shown(text: str) -> None:
    assert hide_secrets(text) == text


def test_a_cell_that_was_hidden_is_known_again() -> None:
    for text in ("MatKhau#2021", "rtsp://admin:MatKhau@10.1.1.9/1", "http://10.1.1.9/?user=admin&pwd=MatKhau"):
        assert was_hidden(hide_secrets(text))
    assert not was_hidden("*** quan trọng ***")
