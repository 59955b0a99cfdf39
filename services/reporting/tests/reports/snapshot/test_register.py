"""Free text of the register is frozen without what a reader without `read_people` may not see."""

from __future__ import annotations

import pytest

from reporting.reports.snapshot.register import masked


@pytest.mark.parametrize(
    ("text", "frozen"),
    [
        ("gọi 0912345678", "gọi ***"),
        ("gọi 0912.345.678 (anh Ba)", "gọi *** (anh Ba)"),
        ("+84 912 345 678, a.b+c@so.quangtri.gov.vn", "***, ***"),
        ("(0233) 3 851 234", "***"),
        ("ĐT0912345678, Zalo 84912345678x", "ĐT***, Zalo ***x"),
        ("máy K2021050712, hồ sơ 12/QĐ2021", "máy K2021050712, hồ sơ 12/QĐ2021"),
        ("trước 10/5/2021, văn bản 1742/UBND-VX", "trước 10/5/2021, văn bản 1742/UBND-VX"),
        ("thiếu 12 camera, 3 đầu ghi 16 kênh", "thiếu 12 camera, 3 đầu ghi 16 kênh"),
        ("từ 08 giờ 30 ngày 07/5/2021", "từ 08 giờ 30 ngày 07/5/2021"),
        ("", ""),
        (None, None),
    ],
)
def test_phones_and_mail_addresses_are_not_frozen(text: str | None, frozen: str | None) -> None:
    assert masked(text) == frozen
