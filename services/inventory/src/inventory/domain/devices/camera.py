"""Cameras: the area they watch, their transport and trust, the interval of their probes."""

from datetime import date
from typing import Annotated, Protocol, Self
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.devices.addresses import CAMERA_SCHEMES_SHOWN
from inventory.domain.devices.expected import SurveyedDevice
from inventory.domain.devices.trust import Trust
from inventory.domain.devices.vendors import MOST_CHANNELS, Vendor
from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Line, Name
from inventory.domain.places.areas import PublicArea
from vonggac.events.inventory import MediaTransport

DEFAULT_INTERVAL_S = 30.0
DEFAULT_TIMEOUT_S = 10.0

type IntervalS = Annotated[float, Field(ge=5, le=3600)]
type TimeoutS = Annotated[float, Field(ge=1, le=60)]


HEADINGS = {
    "code": "Mã camera",
    "name": "Tên camera",
    "facility_id": "Mã cơ sở",
    "url": "Địa chỉ luồng",
    "enabled": "Đang dùng",
    "area": "Khu vực",
    "transport": "Giao vận",
    "forward_audio": "Chuyển âm thanh",
    "probe_interval_s": "Chu kỳ kiểm tra (giây)",
    "probe_timeout_s": "Thời hạn kiểm tra (giây)",
    "destination_ids": "Trung tâm nhận",
    "vendor": "Hãng",
    "model": "Kiểu máy",
    "firmware": "Phiên bản phần mềm",
    "firmware_released_on": "Ngày phát hành phần mềm",
    "default_password_changed": "Đã đổi mật khẩu mặc định",
    "cloud_access": "Truy cập qua đám mây của hãng (P2P)",
    "certificate": "Giấy chứng nhận hợp quy (QCVN 135:2024/BTTTT)",
    "certificate_valid_until": "Giấy chứng nhận có giá trị đến ngày",
    "time_source": "Nguồn thời gian",
    "sub_url": "Địa chỉ luồng phụ",
    "recorder_id": "Mã đầu ghi",
    "channel": "Kênh",
    "verified_on": "Ngày kiểm tra tại chỗ",
    "verified_by": "Người kiểm tra tại chỗ",
    "shared_device_reason": "Lý do dùng chung thiết bị",
    **PERIOD_HEADINGS,
}


class CameraFields(Dated):
    """The fields of a camera, without its facility, address and credentials."""

    code: Code
    name: Name
    enabled: bool = Field(default=True, description="A disabled camera is neither probed nor forwarded.")
    area: PublicArea | None = Field(default=None, description="The area it watches (4403/CV-BCĐ).")
    transport: MediaTransport = Field(
        default=MediaTransport.TCP,
        description="Of RTSP media; auto tries TCP first, and UDP when the camera refuses TCP.",
    )
    tls: Trust | None = Field(
        default=None, description="Trust for rtsps, rtmps and https; by default the system's authorities."
    )
    forward_audio: bool = Field(default=False, description="Off by default, for the privacy of speech.")
    probe_interval_s: IntervalS = Field(default=DEFAULT_INTERVAL_S, description="Seconds between two probes.")
    probe_timeout_s: TimeoutS | None = Field(
        default=None, description="Seconds one probe may take; by default 10, or half the interval if that is less."
    )

    expected: SurveyedDevice | None = Field(
        default=None, description="The device that the survey found; another device is reported as identity_changed."
    )

    vendor: Vendor | None = Field(default=None, description="Make, as far as its addresses are known.")
    model: Name | None = None
    firmware: Name | None = None
    firmware_released_on: date | None = Field(default=None, description="Day on which its maker released `firmware`.")
    default_password_changed: bool | None = Field(
        default=None,
        description="Declared: the maker's default password was replaced by one of its own (QCVN 135:2024/BTTTT). "
        "Nobody tries it; null is not known.",
    )
    cloud_access: bool | None = Field(
        default=None, description="Declared: it can be reached through its maker's cloud (P2P); null is not known."
    )
    certificate: Line | None = Field(
        default=None, description="Number of its certificate of conformity with QCVN 135:2024/BTTTT."
    )
    certificate_valid_until: date | None = Field(default=None, description="Last day on which `certificate` is valid.")
    time_source: Line | None = Field(default=None, description="Where its clock is set from, such as an NTP server.")
    recorder_id: UUID | None = Field(default=None, description="The recorder that plays it, at `channel`.")
    channel: int | None = Field(default=None, ge=1, le=MOST_CHANNELS, description="Channel of its recorder.")
    verified_on: date | None = Field(default=None, description="Day on which somebody verified it on site.")
    verified_by: Name | None = Field(default=None, description="Who verified it on site.")
    shared_device_reason: Line | None = Field(
        default=None,
        description="Why another camera may have the same device; its message carries it.",
    )

    @model_validator(mode="after")
    def _channel_has_a_recorder(self) -> Self:
        if (self.channel is None) != (self.recorder_id is None):
            msg = "recorder_id and channel belong together: give both or none"
            raise ValueError(msg)
        if (self.verified_on is None) != (self.verified_by is None):
            msg = "verified_on and verified_by belong together: give both or none"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _security_is_of_something(self) -> Self:
        if self.firmware_released_on is not None and self.firmware is None:
            msg = "firmware_released_on is the day of a firmware: give firmware too"
            raise ValueError(msg)
        if self.certificate_valid_until is not None and self.certificate is None:
            msg = "certificate_valid_until is the last day of a certificate: give certificate too"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _timeout_fits(self) -> Self:
        if self.probe_timeout_s is not None and self.probe_timeout_s >= self.probe_interval_s:
            msg = f"probe_timeout_s must be less than probe_interval_s ({self.probe_interval_s:g} s)"
            raise ValueError(msg)
        return self

    @property
    def timeout_s(self) -> float:
        """Seconds one probe may take, with the default applied."""
        return fitting_timeout(self.probe_timeout_s, self.probe_interval_s)


class NewCamera(CameraFields):
    """A camera to add."""

    facility_id: UUID
    url: str = Field(
        description=f"Address ({CAMERA_SCHEMES_SHOWN}); user:password@ is split off and sealed; {{username}} and "
        "{password} may stand in path or query. With `vendor` a host alone: the make's address for `channel`.",
        examples=["rtsp://10.20.1.5:554/Streaming/Channels/101"],
    )
    sub_url: str | None = Field(
        default=None, description="Address of the sub stream, without credentials; as `url` the host."
    )
    destination_ids: tuple[UUID, ...] | None = Field(
        default=None, description="Its destinations; by default every enabled one."
    )


class _Switched(Protocol):
    @property
    def enabled(self) -> bool: ...


def asks_reason(before: _Switched | None, after: _Switched | None) -> str | None:
    """Why something is switched off stands in the reports."""
    return "switching it off" if before is not None and after is not None and before.enabled > after.enabled else None


def fitting_timeout(timeout_s: float | None, interval_s: float) -> float:
    """`timeout_s` if it is less than the interval, otherwise the default for that interval; seconds."""
    if timeout_s is not None and timeout_s < interval_s:
        return timeout_s
    return min(DEFAULT_TIMEOUT_S, interval_s / 2)
