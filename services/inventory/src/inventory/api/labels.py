"""Vietnamese labels of the API's document: `x-vi` of what a caller writes, and the noun that a reference is to.

`x-vi` of a field is its heading, as files have it; `x-vi-values` of a closed list names each of its values. `x-noun` of
a field that refers to another record is the path of its noun.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

from inventory.importing.choices import OF_LITERALS, WORDS
from inventory.importing.overrides import OVERRIDES, Overrides
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named
from vonggac.auth.policy.duties import WORDS as ACTS

LABEL, VALUES, NOUN = "x-vi", "x-vi-values", "x-noun"
_COMPONENTS = "#/components/schemas/"
_JSON = "application/json"


def with_labels(openapi: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Wrap the maker of a document, so that the document has its labels."""

    def labelled() -> dict[str, Any]:
        document = openapi()
        add_labels(document)
        return document

    return labelled


def add_labels(document: dict[str, Any]) -> None:
    """Label the JSON bodies of every route, and every closed list."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name, words in _enumerations():
        if name in schemas:
            schemas[name][VALUES] = words
    for path, operations in document["paths"].items():
        noun = _noun_of(path)
        for operation in operations.values():
            for schema in _bodies(operation):
                _label(schema, schemas, noun, (), set())


def _bodies(operation: Any) -> Iterator[dict[str, Any]]:
    body = operation.get("requestBody", {}) if isinstance(operation, dict) else {}
    schema = body.get("content", {}).get(_JSON, {}).get("schema")
    if schema is not None:
        yield schema


def _noun_of(path: str) -> Noun | None:
    parts = path.split("/")
    return next((noun for noun in NOUNS if len(parts) > 2 and noun.path == parts[2]), None)


def _label(
    schema: dict[str, Any], schemas: dict[str, Any], noun: Noun | None, path: tuple[str, ...], seen: set[str]
) -> None:
    """Label the fields of a schema and of what it holds; the first that holds a component labels it for all."""
    for each in (schema, *schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
        name = each.get("$ref", "").removeprefix(_COMPONENTS)
        if name and name not in seen:
            _label(schemas[name], schemas, noun, path, seen | {name})
        elif each is not schema:
            _label(each, schemas, noun, path, seen)
    for field, inner in schema.get("properties", {}).items():
        inner.setdefault(LABEL, _label_of(noun, (*path, field), inner))
        if "enum" in inner:
            inner.setdefault(VALUES, {str(each): OF_LITERALS.get(str(each), str(each)) for each in inner["enum"]})
        if (refers_to := _reference(noun, (*path, field))) is not None:
            inner.setdefault(NOUN, refers_to)
        _label(inner, schemas, noun, (*path, field), seen)


def _label_of(noun: Noun | None, path: tuple[str, ...], schema: Mapping[str, Any]) -> str:
    name, dotted = path[-1], ".".join(path)
    own = {} if noun is None else {**noun.headings, **OVERRIDES.get(noun.name, Overrides()).headings}
    title = schema.get("title", "")
    # A survey's form says what it asks in its own words.
    return own.get(dotted) or own.get(name) or OTHERS.get(name) or ("" if title.isascii() else title) or _any(name)


def _any(name: str) -> str:
    """As some noun calls such a field."""
    for noun in NOUNS:
        if (heading := noun.headings.get(name)) is not None:
            return heading
    return name


def _reference(noun: Noun | None, path: tuple[str, ...]) -> str | None:
    dotted = ".".join(path)
    named = None
    if noun is not None:
        named = noun.references.get(dotted) or noun.mentions.get(dotted)
    named = named or REFERENCES.get(path[-1])
    return None if named is None else noun_named(named).path


def _enumerations() -> Iterator[tuple[str, dict[str, str]]]:
    """Name and words of every closed list that has Vietnamese words."""
    for listed, known in WORDS.items():
        yield listed.__name__, _of(listed, known)
    for noun in NOUNS:
        if noun.machine is not None:
            status = next(iter(noun.machine.vietnamese))
            yield type(status).__name__, _of(type(status), noun.machine.vietnamese)
    for name, words in MORE.items():
        yield name, dict(words)


def _of(listed: type[Enum], known: Mapping[Any, str]) -> dict[str, str]:
    return {str(each.value): str(known.get(each, OF_LITERALS.get(str(each.value), each.value))) for each in listed}


REFERENCES: Mapping[str, str] = {
    "agency_id": "agency",
    "camera_id": "camera",
    "delivery_id": "delivery",
    "directive_id": "directive",
    "facility_id": "facility",
    "obligation_id": "obligation",
}
"""Of bodies that are no noun's fields."""
OTHERS: Mapping[str, str] = {
    "act": "Việc đề nghị",
    "addressees": "Kính gửi",
    "answers": "Trả lời",
    "bandwidth_kbps": "Băng thông (kbit/s)",
    "camera_code": "Mã camera",
    "camera_codes": "Mã các camera",
    "cameras": "Camera",
    "caption": "Chú thích",
    "codec": "Mã hóa hình",
    "codes": "Mã",
    "completed_at": "Hoàn thành lúc",
    "connect_all_cameras": "Kết nối mọi camera",
    "copies": "Nơi nhận",
    "credentials_reference": "Nơi giữ tài khoản",
    "decision": "Quyết định",
    "delivery_id": "Luồng gửi",
    "destination_codes": "Mã các trung tâm",
    "device": "Thiết bị",
    "drafting_unit": "Đơn vị soạn thảo",
    "due_on": "Hạn hoàn thành",
    "etag": "Phiên bản đã đọc",
    "expected": "Thiết bị đã khảo sát",
    "for_whom": "Cấp cho ai",
    "given_by": "Người cho ý kiến",
    "given_on": "Ngày cho ý kiến",
    "group": "Nhóm nơi nhận",
    "height": "Chiều cao (điểm ảnh)",
    "id": "Mã định danh",
    "key": "Khóa câu hỏi",
    "manufacturer": "Hãng",
    "media_type": "Loại tệp",
    "mend_by": "Hạn khắc phục",
    "mended_on": "Ngày khắc phục",
    "obligation_id": "Nghĩa vụ",
    "overlap_hours": "Số giờ mật khẩu cũ còn dùng",
    "password": "Mật khẩu",
    "path_is_no_secret": "Đường dẫn không phải bí mật",
    "prefix": "Tiền tố mã",
    "profile": "Cấu hình",
    "recipients": "Nơi nhận văn bản",
    "required": "Bắt buộc",
    "responsible": "Đơn vị chịu trách nhiệm",
    "results": "Kết quả",
    "scan": "Lần dò",
    "sees": "Được xem",
    "serial_number": "Số sê-ri",
    "serving": "Cho trung tâm lấy hình",
    "sha256": "SHA-256 của tệp",
    "signer_authority": "Thẩm quyền ký",
    "signer_name": "Người ký",
    "signer_title": "Chức vụ người ký",
    "size_bytes": "Cỡ tệp (byte)",
    "stream": "Luồng hình",
    "tls": "TLS",
    "to": "Chuyển sang",
    "username": "Tài khoản",
    "valid_for_hours": "Hiệu lực (giờ)",
    "vpn": "Qua VPN",
    "width": "Chiều rộng (điểm ảnh)",
}
"""Fields that no file has as a column of its own."""
MORE: Mapping[str, Mapping[str, str]] = {
    "Act": {act.value: words.vietnamese for act, words in ACTS.items()},
    "AttachmentKind": {"photo": "ảnh", "sketch": "sơ đồ", "minutes": "biên bản", "other": "khác"},
    "CameraType": {"bullet": "thân", "dome": "bán cầu", "ptz": "quay quét", "fisheye": "mắt cá"},
    "ConsentKind": {"agreed": "đồng ý", "consulted": "đã được hỏi ý kiến"},
    "Coverage": {"covered": "đã có camera", "not_covered": "chưa có camera", "not_applicable": "không áp dụng"},
    "Decision": {"granted": "chấp thuận", "refused": "từ chối"},
    "RecipientGroup": {
        "addressees": "nơi nhận chính",
        "ministry": "bộ",
        "chairmen": "lãnh đạo ủy ban",
        "steering_committee": "ban chỉ đạo",
        "office": "văn phòng",
        "operator": "đơn vị vận hành",
        "other": "khác",
        "archive": "lưu",
    },
    "RecipientSight": {"whole": "toàn văn", "without_appendices": "không kèm phụ lục"},
    "Source": {"camera": "camera", "nvr_channel": "kênh đầu ghi", "vendor_cloud": "máy chủ của hãng"},
    "SuccessionKind": {"merged": "sáp nhập", "split": "chia tách", "renamed": "đổi tên", "moved": "chuyển"},
    "SystemKind": {"none": "không có", "analog": "tương tự", "ip": "IP", "mixed": "hỗn hợp"},
}
"""Lists that no file's column has."""
