"""A connection plan (phương án kết nối) as a paper: which cameras, by which way, to which centres, and who agreed.

Addresses and logins of cameras are not in it.
"""

from collections.abc import Iterable, Iterator

from inventory.domain.mandate.planning.plan import Connection, Consent, ConsentKind, PlanFields, Source
from inventory.minutes.papers import Heading, begin_paper, end_paper, name_place, write_grid
from inventory.minutes.wording import amount
from vonggac.decree.dates import short_day

CONNECTION_COLUMNS = ("TT", "Camera", "Nguồn", "Luồng", "Băng thông (kbps)", "Trung tâm nhận", "Phụ trách")
CONNECTION_WIDTHS = (10, 30, 27, 20, 23, 30, 25)
CONSENT_COLUMNS = ("TT", "Cơ quan", "Ý kiến", "Người cho ý kiến", "Ngày", "Văn bản")
CONSENT_WIDTHS = (10, 42, 25, 38, 22, 28)
SOURCES = {Source.CAMERA: "Camera", Source.NVR_CHANNEL: "Đầu ghi", Source.VENDOR_CLOUD: "Đám mây của hãng"}
STREAMS = {"main": "chính", "sub": "phụ"}
TRANSPORTS = {"tcp": "TCP", "udp": "UDP", "auto": "tự chọn"}
CONSENTS = {ConsentKind.AGREED: "Thống nhất", ConsentKind.CONSULTED: "Đã cho ý kiến"}


def plan_paper(of: Heading, plan: PlanFields, version: int, consents: Iterable[Consent]) -> bytes:
    """Write the plan as a paper."""
    page = begin_paper(of, "PHƯƠNG ÁN", "PA", f"Kết nối camera giám sát tại {of.facility_name} (lần {version})")
    if of.basis is not None:
        page.text(f"Thực hiện {of.basis}.")
    page.heading("I. CƠ SỞ")
    page.text(f"Cơ sở: {name_place(of)}.")
    page.heading("II. NỘI DUNG KẾT NỐI")
    page.text(f"Kết nối {amount(len(plan.connections))} camera:", keep=True)
    rows = list(_connection_rows(plan.connections))
    write_grid(page, CONNECTION_COLUMNS, CONNECTION_WIDTHS, rows, right={"Băng thông (kbps)"}, size=11)
    page.heading("III. TỔ CHỨC THỰC HIỆN")
    for line in _duties(plan):
        page.text(line)
    page.heading("IV. Ý KIẾN CÁC CƠ QUAN")
    rows = list(_consent_rows(of, consents))
    if rows:
        write_grid(page, CONSENT_COLUMNS, CONSENT_WIDTHS, rows, size=11)
    page.text("Các bên thực hiện theo phương án này./." if rows else "Chưa có ý kiến của các cơ quan./.")
    return end_paper(of, page, ("Các cơ quan cho ý kiến", "Lưu: VT, hồ sơ kết nối"))


def _connection_rows(connections: Iterable[Connection]) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(connections, start=1):
        channel = f" kênh {one.channel}" if one.channel is not None else ""
        yield (
            str(number),
            one.camera_code,
            f"{SOURCES[one.source]}{channel}",
            f"{STREAMS[one.stream]}, {TRANSPORTS[one.transport]}",
            amount(one.bandwidth_kbps),
            ", ".join(one.destination_codes),
            one.responsible or "",
        )


def _duties(plan: PlanFields) -> Iterator[str]:
    yield f"1. Đơn vị chủ trì: {plan.responsible_lead or 'chưa phân công'}."
    yield f"2. Đơn vị vận hành: {plan.responsible_operator or 'chưa phân công'}."
    day = short_day(plan.connect_by) if plan.connect_by is not None else "chưa xác định"
    yield f"3. Hoàn thành kết nối: {day}."
    total = sum(one.bandwidth_kbps for one in plan.connections)
    yield f"4. Tổng băng thông từ cơ sở: {amount(total)} kbps."


def _consent_rows(of: Heading, consents: Iterable[Consent]) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(consents, start=1):
        recorded = " (ghi nhận thay)" if one.recorded_by is not None else ""
        yield (
            str(number),
            of.agencies.get(one.agency_id, ""),
            f"{CONSENTS[one.kind]}{recorded}",
            one.given_by,
            short_day(one.given_on),
            one.document or "",
        )
