"""Where the files of a noun differ from its fields: other names and headings, secrets, columns of other nouns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.importing.columns import Column, Kind


@dataclass(frozen=True, slots=True)
class Overrides:
    """Keys are dotted paths of fields."""

    names: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    """Fields that no file has."""
    more: tuple[Column, ...] = ()
    addresses: frozenset[str] = frozenset()
    """Columns whose value may hold a login."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    """Fields that list ids, to the noun that they are of: the codes stand in the file."""
    whole: frozenset[str] = frozenset()
    """Records that stand in one cell."""


DESTINATIONS = "destinations"
CAMERA = Overrides(
    names={"tls.ca_pem": "tls_ca_pem", "tls.fingerprint_sha256": "tls_fingerprint_sha256"},
    headings={
        "tls.ca_pem": "Chứng thư CA (PEM)",
        "tls.fingerprint_sha256": "Vân tay chứng thư (SHA-256)",
        "expected.codec": "Mã hóa hình",
        "expected.width": "Chiều rộng (điểm ảnh)",
        "expected.height": "Chiều cao (điểm ảnh)",
        "expected.fps": "Số hình mỗi giây",
        "expected.serial": "Số sê-ri",
        "expected.mac": "Địa chỉ MAC",
        "expected.onvif_address": "Địa chỉ ONVIF",
    },
    hidden=frozenset({"destination_ids"}),
    more=(
        Column(name="username", heading="Tài khoản", secret=True),
        Column(name="password", heading="Mật khẩu", secret=True),
        Column(name=DESTINATIONS, heading="Trung tâm nhận", kind=Kind.CODES),
    ),
    addresses=frozenset({"url", "sub_url"}),
    aliases={"Địa chỉ RTSP": "url", "URL": "url", "Link": "url", "Tên đăng nhập": "username"},
    order=("code", "name", "facility_code", "url", "username", "password", "area", DESTINATIONS),
)
_PERSON = {
    "focal_point_name": "Họ tên cán bộ đầu mối",
    "focal_point_position": "Chức vụ cán bộ đầu mối",
    "focal_point_phone": "Điện thoại cán bộ đầu mối",
    "focal_point_email": "Email cán bộ đầu mối",
}
FACILITY = Overrides(
    more=tuple(
        Column(name=name, heading=heading, kind=Kind.PHONE if name.endswith("phone") else Kind.TEXT)
        for name, heading in _PERSON.items()
    ),
    order=("code", "name", "type", "unit_code", "managing_agency_code", "status"),
)
DESTINATION = Overrides(
    names={
        "tls.ca_pem": "tls_ca_pem",
        "tls.fingerprint_sha256": "tls_fingerprint_sha256",
        "serving.tls": "served_tls",
        "serving.login": "served_login",
        "serving.basic": "served_basic",
        "serving.transports": "served_transports",
    },
    headings={
        "tls.ca_pem": "Chứng thư CA (PEM)",
        "tls.fingerprint_sha256": "Vân tay chứng thư (SHA-256)",
        "serving.source_networks": "Mạng nguồn của trung tâm",
        "serving.anywhere": "Kết nối từ mọi địa chỉ",
        "serving.anywhere_reason": "Lý do mở mọi địa chỉ",
        "serving.transports": "Cách truyền hình",
        "serving.tls": "TLS khi lấy hình",
        "serving.login": "Kiểu đăng nhập",
        "serving.basic": "Cho đăng nhập Basic",
        "serving.sessions_per_camera": "Số phiên mỗi camera",
        "serving.responsible": "Đơn vị chịu trách nhiệm lấy hình",
    },
    hidden=frozenset({"connect_all_cameras", "path_is_no_secret"}),
    addresses=frozenset({"url_template", "read_back_url_template"}),
)
SURVEY = Overrides(hidden=frozenset({"attachments"}), whole=frozenset({"form"}))
"""What is attached comes with a submission, not with a file."""
DIRECTIVE = Overrides(whole=frozenset({"letterhead"}))
"""It has a subject of its own, beside the directive's."""
OBLIGATION = Overrides(lists={"facility_ids": "facility"})
PLAN = Overrides(more=(Column(name="code", heading="Mã phương án", kind=Kind.CODE, path=("code",)),))
"""The register gives a version its code: a row without one makes the facility's next version."""
OVERRIDES: Mapping[str, Overrides] = {
    "camera": CAMERA, "facility": FACILITY, "destination": DESTINATION, "survey": SURVEY, "obligation": OBLIGATION,
    "connection_plan": PLAN, "directive": DIRECTIVE,
}  # fmt: skip
