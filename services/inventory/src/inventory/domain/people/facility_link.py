"""Links of facilities: what one is made of, and what its printed sheet says.

A link opens the facility's own acts for a bounded time: survey form, visits, focal point, answers. It is printed as QR.
"""

import html
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import Field

from inventory.domain.days import VIETNAM
from inventory.domain.fields import Fields, Name

DEFAULT_HOURS = 72
MAX_HOURS = 31 * 24
"""As long as a token of a person may be valid."""
MAX_VALID = 20
"""Links of one facility that are valid at the same time."""


class NewLink(Fields):
    """For whom a link is made, and for how long."""

    for_whom: Name = Field(description="Who gets it: a name, a post.", examples=["Trưởng khu cách ly"])
    valid_for_hours: int = Field(
        default=DEFAULT_HOURS, ge=1, le=MAX_HOURS, description="Hours until it ends by itself; at most 31 days."
    )


class Sheet(NamedTuple):
    """What the printed sheet of a link says."""

    facility_code: str
    facility_name: str
    for_whom: str
    expires_at: datetime
    address: str
    qr_svg: str


def end_of_link(now: datetime, hours: int) -> datetime:
    """When a link ends by itself."""
    return now + timedelta(hours=hours)


def subject_of(link_id: object) -> str:
    """Who calls by a link, as the change log names it."""
    return f"facility-link:{link_id}"


def write_sheet(sheet: Sheet) -> str:
    """Write the sheet as one HTML page on A4, Vietnamese first; nothing is loaded from elsewhere."""
    end = sheet.expires_at.astimezone(VIETNAM)
    name, code, whom, address = map(
        html.escape, (sheet.facility_name, sheet.facility_code, sheet.for_whom, sheet.address)
    )
    return f"""<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>Liên kết của cơ sở {code}</title>
<style>
@page {{ size: A4; margin: 20mm }}
body {{ font: 14pt/1.4 "Times New Roman", serif; max-width: 170mm; margin: 0 auto; text-align: center }}
h1 {{ font-size: 18pt; margin: 8mm 0 2mm }}
.qr svg {{ width: 80mm; height: 80mm }}
ul {{ text-align: left; display: inline-block; margin: 2mm 0 }}
.en {{ font-size: 11pt; font-style: italic }}
.address {{ font: 9pt monospace; overflow-wrap: anywhere }}
.warning {{ border: 1px solid; padding: 3mm; margin-top: 6mm }}
</style></head><body>
<h1>LIÊN KẾT CỦA CƠ SỞ CÁCH LY</h1>
<p><strong>{name}</strong> (mã {code})<br>Giao cho: {whom}<br>
Có hiệu lực đến {end:%H} giờ {end:%M} ngày {end:%d/%m/%Y} (giờ Việt Nam)</p>
<div class="qr">{sheet.qr_svg}</div>
<p class="address">{address}</p>
<p>Dùng để:</p>
<ul><li>kê khai phiếu khảo sát của cơ sở;</li>
<li>xem lịch làm việc của các tổ, xác nhận cho vào và đã hướng dẫn an toàn;</li>
<li>đăng ký, sửa cán bộ đầu mối;</li><li>trả lời yêu cầu cung cấp thông tin.</li></ul>
<p class="warning">Không chụp, không gửi mã này cho người khác: việc làm bằng mã này được ghi là ý kiến của cơ sở.
Mất hoặc lộ mã: báo ngay đơn vị chủ trì hoặc cơ quan quản lý để thu hồi.</p>
<p class="en">Link of the facility {name}, for {whom}, valid until {end:%Y-%m-%d %H:%M} (+07:00).
It opens the survey form, the visits, the focal point and the answers of this facility, and nothing else.
Keep it to yourself; whoever gave it revokes it.</p>
</body></html>
"""
