"""The form that technicians fill in at a site: areas, system, infrastructure, privacy, access.

A part may be missing while the survey runs; `SurveyForm.missing_parts` names what a finished one lacks. Titles are in
Vietnamese, so that a program that draws the form from its JSON Schema shows the words of the minutes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from inventory.domain.devices.expected import Pixels, check_mac
from inventory.domain.fields import Code, Fields, Line, Name
from inventory.domain.places.areas import REQUIRED_AREAS, Area, PublicArea
from inventory.domain.text import clean
from vonggac.events.inventory import CoverageVerdict
from vonggac.sufficiency import Assessed, Sufficiency, decide_sufficiency

MAX_ROWS = 500

type Count = Annotated[int, Field(ge=0, le=100_000)]
type Mbps = Annotated[float, Field(ge=0, le=100_000)]
type Text = Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=2000)]
type Mac = Annotated[str, AfterValidator(check_mac)]
type Codec = Literal["h264", "h265", "mjpeg", "other"]


class Coverage(StrEnum):
    """Whether cameras watch an area."""

    COVERED = "covered"
    NOT_COVERED = "not_covered"
    NOT_APPLICABLE = "not_applicable"


class SystemKind(StrEnum):
    """The camera system that was found."""

    NONE = "none"
    ANALOG = "analog"
    IP = "ip"
    MIXED = "mixed"


class Site(Fields):
    """Size of the site, as totals only: nothing about people in quarantine."""

    buildings: Count | None = Field(default=None, title="Số dãy nhà")
    floors: Count | None = Field(default=None, title="Số tầng")
    rooms: Count | None = Field(default=None, title="Số phòng cách ly")
    beds: Count | None = Field(default=None, title="Số giường")


class SurveyedArea(Fields):
    """One public area (4403/CV-BCĐ). Rooms, toilets and bathrooms are refused."""

    area: PublicArea = Field(title="Khu vực")
    coverage: Coverage = Field(title="Camera giám sát")
    reason: Line | None = Field(default=None, title="Lý do", description="Required when the area does not apply.")
    camera_codes: tuple[Code, ...] = Field(default=(), max_length=MAX_ROWS, title="Camera")
    blind_spots: Line | None = Field(default=None, title="Điểm mù")
    night_light: bool | None = Field(default=None, title="Đủ sáng ban đêm")
    cameras_needed: Count | None = Field(default=None, title="Số camera cần bổ sung")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.coverage is Coverage.NOT_APPLICABLE and self.reason is None:
            msg = f"area {self.area}: say in `reason` why it does not apply"
            raise ValueError(msg)
        if self.coverage is not Coverage.COVERED and self.camera_codes:
            msg = f"area {self.area}: has cameras, so its coverage is covered; give what they miss as `blind_spots`"
            raise ValueError(msg)
        return self


class SurveyedRecorder(Fields):
    """A recorder as found. Who holds its login is noted; the login itself is not."""

    make: Name = Field(title="Hãng")
    model: Name | None = Field(default=None, title="Kiểu máy")
    firmware: Name | None = Field(default=None, title="Phiên bản phần mềm")
    channels: Count | None = Field(default=None, title="Số kênh")
    channels_used: Count | None = Field(default=None, title="Số kênh đã dùng")
    disk_tb: Annotated[float, Field(ge=0, le=10_000)] | None = Field(default=None, title="Dung lượng ổ cứng (TB)")
    days_kept: Count | None = Field(default=None, title="Số ngày lưu")
    time_source: Line | None = Field(default=None, title="Nguồn giờ")
    rtsp_enabled: bool | None = Field(default=None, title="Đã bật RTSP")
    onvif_enabled: bool | None = Field(default=None, title="Đã bật ONVIF")
    login_held_by: Name | None = Field(default=None, title="Người giữ tài khoản quản trị")

    @model_validator(mode="after")
    def _channels_fit(self) -> Self:
        if None not in {self.channels, self.channels_used} and (self.channels_used or 0) > (self.channels or 0):
            msg = f"channels_used: at most the recorder's channels ({self.channels})"
            raise ValueError(msg)
        return self


class StreamSettings(Fields):
    """One stream of a camera as it is set."""

    codec: Codec | None = Field(default=None, title="Mã hóa")
    width: Pixels | None = Field(default=None, title="Rộng (điểm ảnh)")
    height: Pixels | None = Field(default=None, title="Cao (điểm ảnh)")
    fps: Annotated[float, Field(gt=0, le=240)] | None = Field(default=None, title="Hình/giây")
    kbps: Annotated[int, Field(gt=0, le=1_000_000)] | None = Field(default=None, title="Băng thông (kbps)")


class SurveyedCamera(Fields):
    """A camera as found."""

    code: Code = Field(title="Mã camera")
    position: Line | None = Field(default=None, title="Vị trí lắp đặt")
    area: PublicArea | None = Field(default=None, title="Khu vực")
    make: Name | None = Field(default=None, title="Hãng")
    model: Name | None = Field(default=None, title="Kiểu máy")
    serial: Name | None = Field(default=None, title="Số sê-ri")
    mac: Mac | None = Field(default=None, title="Địa chỉ MAC")
    ip: Annotated[str, StringConstraints(max_length=64)] | None = Field(default=None, title="Địa chỉ IP")
    ip_assignment: Literal["static", "dhcp_reserved", "dhcp"] | None = Field(default=None, title="Cách cấp IP")
    recorder_channel: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, title="Kênh đầu ghi")
    main: StreamSettings | None = Field(default=None, title="Luồng chính")
    sub: StreamSettings | None = Field(default=None, title="Luồng phụ")
    infrared: bool | None = Field(default=None, title="Hồng ngoại")
    audio: bool | None = Field(default=None, title="Có thu âm")
    ptz: bool | None = Field(default=None, title="Quay quét")
    condition: Line | None = Field(default=None, title="Tình trạng")
    photo_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, title="Ảnh góc nhìn", description="SHA-256 of an attachment of this survey."
    )


class System(Fields):
    """The camera system as found."""

    kind: SystemKind = Field(title="Loại hệ thống")
    recorders: tuple[SurveyedRecorder, ...] = Field(default=(), max_length=MAX_ROWS, title="Đầu ghi")
    cameras: tuple[SurveyedCamera, ...] = Field(default=(), max_length=MAX_ROWS, title="Camera")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind is SystemKind.NONE and (self.cameras or self.recorders):
            msg = "kind is none, but there are cameras or recorders: give analog, ip or mixed"
            raise ValueError(msg)
        _refuse_twice("cameras: the code", (camera.code.casefold() for camera in self.cameras))
        return self


class Infrastructure(Fields):
    """Power, cables and line of the site."""

    power_quality: Line | None = Field(default=None, title="Nguồn điện")
    ups_minutes: Count | None = Field(default=None, title="UPS (phút)")
    lightning_protection: bool | None = Field(default=None, title="Chống sét")
    poe_watts: Annotated[float, Field(ge=0, le=100_000)] | None = Field(default=None, title="Công suất PoE (W)")
    switch_ports_free: Count | None = Field(default=None, title="Cổng mạng còn trống")
    cabinet: bool | None = Field(default=None, title="Tủ mạng")
    longest_cable_m: Annotated[float, Field(ge=0, le=10_000)] | None = Field(
        default=None, title="Cáp dài nhất (m)", description="Copper carries Ethernet about 90 m."
    )
    isp: Name | None = Field(default=None, title="Nhà cung cấp đường truyền")
    line_id: Name | None = Field(default=None, title="Mã đường truyền")
    up_mbps: Mbps | None = Field(default=None, title="Tải lên đo được (Mbps)")
    down_mbps: Mbps | None = Field(default=None, title="Tải xuống đo được (Mbps)")
    public_ip: Literal["static", "dynamic", "cgnat", "none"] | None = Field(default=None, title="IP công cộng")
    vpn_possible: bool | None = Field(default=None, title="Có thể lập VPN")
    firewall_rights: Line | None = Field(default=None, title="Quyền cấu hình tường lửa")
    mobile_signal: Line | None = Field(default=None, title="Sóng 4G")


class Access(Fields):
    """How a team gets in (R21) without breaking the rules against the epidemic (R16)."""

    entry_rule: Text | None = Field(default=None, title="Quy định ra vào")
    protective_equipment: Line | None = Field(default=None, title="Trang bị bảo hộ")
    contact: Line | None = Field(default=None, title="Người liên hệ")
    time_window: Line | None = Field(default=None, title="Khung giờ")


class SurveyForm(Fields):
    """What a survey found at the site."""

    version: Literal[1] = 1
    site: Site | None = Field(default=None, title="Cơ sở")
    areas: tuple[SurveyedArea, ...] = Field(default=(), max_length=MAX_ROWS, title="Khu vực phải giám sát")
    system: System | None = Field(default=None, title="Hệ thống camera hiện có")
    infrastructure: Infrastructure | None = Field(default=None, title="Hạ tầng")
    notice_board: bool | None = Field(default=None, title="Có biển thông báo có camera")
    access: Access | None = Field(default=None, title="Ra vào và an toàn")
    proposal: Text | None = Field(default=None, title="Đề xuất")
    estimated_cost_vnd: Annotated[int, Field(ge=0, le=10**12)] | None = Field(
        default=None, title="Kinh phí dự kiến (đồng)"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        # `other_public` may be there several times or not at all.
        _refuse_twice("areas: the area", (str(one.area) for one in self.areas if one.area is not Area.OTHER_PUBLIC))
        codes = {camera.code for camera in self.system.cameras} if self.system is not None else set()
        for one in self.areas:
            if unknown := [code for code in one.camera_codes if code not in codes]:
                msg = f"area {one.area}: camera {unknown[0]} is not among system.cameras"
                raise ValueError(msg)
        return self

    def missing_parts(self) -> tuple[str, ...]:
        """List what a finished form must have and this one has not: names of fields, and of areas nobody judged."""
        parts = [name for name in _REQUIRED if getattr(self, name) is None]
        judged = {one.area for one in self.areas}
        return (*parts, *(f"areas.{area}" for area in REQUIRED_AREAS if area not in judged))

    def sufficiency(self) -> Sufficiency:
        """Whether the cameras that were found suffice, and what lacks (R07)."""
        return decide_sufficiency(assessed_areas(self.areas))


def assessed_areas(areas: Iterable[SurveyedArea]) -> Mapping[str, Assessed]:
    """Find the verdict about each area; of other public ones together, since there may be several."""
    found: dict[str, Assessed] = {}
    for one in areas:
        verdict, needed = CoverageVerdict(one.coverage.value), one.cameras_needed or 0
        before = found.get(one.area)
        if before is not None and CoverageVerdict.NOT_COVERED in {before.verdict, verdict}:
            verdict, needed = CoverageVerdict.NOT_COVERED, needed + before.cameras_needed
        found[one.area] = Assessed(verdict, needed if verdict is CoverageVerdict.NOT_COVERED else 0)
    return found


_REQUIRED = ("site", "system", "infrastructure", "notice_board", "access")


def form_schema() -> dict[str, Any]:
    """Build the JSON Schema (2020-12) of the form, for programs that draw it in the field."""
    schema = SurveyForm.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "survey-form.v1", **schema}


def _refuse_twice(what: str, values: Any) -> None:
    if repeated := [value for value, count in Counter(values).items() if count > 1]:
        msg = f"{what} {repeated[0]} is there twice"
        raise ValueError(msg)
