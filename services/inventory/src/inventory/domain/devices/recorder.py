"""Recorders: an NVR or DVR with its channels; a camera may be one of them."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from inventory.domain.devices.addresses import check_numbers
from inventory.domain.devices.expected import check_mac
from inventory.domain.devices.vendors import MOST_CHANNELS, Vendor, check_host
from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Line, Name
from inventory.domain.text import clean


def _check_numbers(host: str) -> str:
    check_numbers(host)
    return host


type Serial = Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=64)]
type Host = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, pattern=r"^[0-9A-Za-z.:_-]+$"),
    AfterValidator(check_host),
    AfterValidator(_check_numbers),
]


class RecorderFields(Dated):
    """What a survey notes of a recorder (domain: survey form, system)."""

    code: Code
    name: Name
    facility_id: UUID
    vendor: Vendor | None = Field(default=None, description="Make, as far as its addresses are known.")
    model: Name | None = None
    firmware: Name | None = None
    serial: Serial | None = None
    mac: Annotated[str, AfterValidator(check_mac)] | None = None
    host: Host | None = Field(default=None, description="Name or IP address, without a port.")
    port: int = Field(default=554, ge=1, le=65535, description="Of RTSP.")
    channels: int = Field(ge=1, le=MOST_CHANNELS, description="Channels it has, used or free.")
    disk_tb: float | None = Field(default=None, ge=0, le=10_000, description="Size of its disks, TB.")
    days_kept: int | None = Field(default=None, ge=0, le=3650, description="Days that recordings are kept.")
    time_source: Line | None = Field(default=None, description="Where its clock is set from, such as an NTP server.")
    shared_device_reason: Line | None = Field(
        default=None, description="Why another recorder may have the same device; its message carries it."
    )


HEADINGS = {
    "code": "Mã đầu ghi",
    "name": "Tên đầu ghi",
    "facility_id": "Mã cơ sở",
    "vendor": "Hãng",
    "model": "Kiểu máy",
    "firmware": "Phiên bản phần mềm",
    "serial": "Số sê-ri",
    "mac": "Địa chỉ MAC",
    "host": "Địa chỉ IP",
    "port": "Cổng RTSP",
    "channels": "Số kênh",
    "disk_tb": "Dung lượng đĩa (TB)",
    "days_kept": "Số ngày lưu",
    "time_source": "Nguồn thời gian",
    "shared_device_reason": "Lý do dùng chung thiết bị",
    **PERIOD_HEADINGS,
}
"""Headings of files, by column."""


ELSEWHERE = "is a recorder of another facility: choose one of the camera's facility, or send the parameter reason"
"""A code typed wrong is mostly that of another site; one that serves two sites is the exception."""


def check_channel(channel: int, channels: int) -> None:
    """Raise ValueError when the recorder does not have the channel."""
    if not 1 <= channel <= channels:
        msg = f"the recorder has channels 1 to {channels}"
        raise ValueError(msg)
