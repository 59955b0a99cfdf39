"""Vietnamese words of closed lists, as officials write them in files."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from inventory.domain.mandate.notes import VIETNAMESE as BLOCKED
from inventory.domain.mandate.surveying.survey import VERDICTS
from inventory.domain.mandate.visit import Protection
from inventory.domain.places.areas import Area
from vonggac.events.inventory import (
    AgencyRole,
    BlockedKind,
    CoverageVerdict,
    DestinationMode,
    DestinationRole,
    FacilityType,
    MediaTransport,
    ObligationKind,
    RequiredProof,
    ServedLogin,
    ServedTls,
    ServedTransport,
    SurveyVerdict,
    UnitLevel,
    VisitPurpose,
)

WORDS: Mapping[type[Enum], Mapping[Any, str]] = {
    FacilityType: {
        FacilityType.MILITARY: "quân đội",
        FacilityType.HEALTH: "cơ sở y tế",
        FacilityType.SCHOOL: "trường học",
        FacilityType.DORMITORY: "ký túc xá",
        FacilityType.PUBLIC_BUILDING: "công sở",
        FacilityType.HOTEL: "khách sạn",
        FacilityType.FIELD_HOSPITAL: "bệnh viện dã chiến",
        FacilityType.FACTORY: "nhà máy",
    },
    AgencyRole: {
        AgencyRole.LEAD: "chủ trì",
        AgencyRole.OPERATOR: "đơn vị vận hành",
        AgencyRole.MANAGING: "cơ quan quản lý",
        AgencyRole.PEOPLES_COMMITTEE: "ủy ban nhân dân",
        AgencyRole.MINISTRY: "bộ",
        AgencyRole.STEERING_COMMITTEE: "ban chỉ đạo",
    },
    UnitLevel: {UnitLevel.PROVINCE: "tỉnh", UnitLevel.DISTRICT: "huyện", UnitLevel.COMMUNE: "xã"},
    CoverageVerdict: {
        CoverageVerdict.COVERED: "đã có camera",
        CoverageVerdict.NOT_COVERED: "chưa có camera",
        CoverageVerdict.NOT_APPLICABLE: "không áp dụng",
    },
    ObligationKind: {
        ObligationKind.SURVEY_AND_PLAN: "khảo sát, thống nhất phương án",
        ObligationKind.CONNECTION: "kết nối",
        ObligationKind.PROPOSAL: "đề xuất lắp đặt",
        ObligationKind.INSTALLATION: "lắp đặt",
        ObligationKind.COVERAGE: "giám sát đủ khu vực",
        ObligationKind.FOCAL_POINT: "cử cán bộ đầu mối",
        ObligationKind.INSPECTION: "kiểm tra định kỳ",
        ObligationKind.REPORT: "báo cáo",
        ObligationKind.OTHER: "khác",
    },
    VisitPurpose: {
        VisitPurpose.SURVEY: "khảo sát",
        VisitPurpose.CONNECTION: "kết nối",
        VisitPurpose.INSTALLATION: "lắp đặt",
        VisitPurpose.REPAIR: "sửa chữa",
        VisitPurpose.INSPECTION: "kiểm tra",
    },
    Protection: {
        Protection.MASK: "khẩu trang",
        Protection.GLOVES: "găng tay",
        Protection.FACE_SHIELD: "tấm che mặt",
        Protection.GOWN: "áo choàng",
        Protection.COVERALL: "bộ đồ bảo hộ",
        Protection.SHOE_COVERS: "bao giày",
    },
    BlockedKind: BLOCKED,
    SurveyVerdict: VERDICTS,
    DestinationRole: {DestinationRole.NATIONAL: "quốc gia", DestinationRole.PROVINCIAL: "tỉnh"},
    Area: {
        Area.CORRIDOR: "hành lang",
        Area.FLOOR_LOBBY: "sảnh tầng",
        Area.YARD: "sân",
        Area.SAMPLING: "nơi lấy mẫu",
        Area.RECEPTION: "nơi tiếp nhận",
        Area.MEDICAL_CHECK: "nơi khám",
        Area.HANDOVER: "nơi giao nhận",
        Area.OUTSIDE_TOILET: "bên ngoài nhà vệ sinh",
        Area.GATE: "cổng",
        Area.OTHER_PUBLIC: "khu công cộng khác",
    },
    MediaTransport: {MediaTransport.TCP: "tcp", MediaTransport.UDP: "udp", MediaTransport.AUTO: "auto"},
    RequiredProof: {proof: proof.value for proof in RequiredProof},
    DestinationMode: {DestinationMode.PUSH: "đẩy tới trung tâm", DestinationMode.SERVE: "trung tâm lấy hình"},
    ServedTransport: {ServedTransport.TCP: "tcp", ServedTransport.UDP: "udp"},
    ServedTls: {
        ServedTls.REQUIRED: "bắt buộc",
        ServedTls.OFFERED: "tùy trung tâm",
        ServedTls.NONE: "không dùng",
    },
    ServedLogin: {ServedLogin.MD5: "md5", ServedLogin.SHA256: "sha256", ServedLogin.BOTH: "cả hai"},
}
SUGGESTED: Mapping[str, tuple[str, ...]] = {"time_source": ("máy chủ NTP", "đầu ghi", "đặt bằng tay")}
"""Of texts that are often one of a few: templates offer these, and take any other."""
OF_LITERALS: Mapping[str, str] = {"on_site": "tại chỗ", "remote": "từ xa"}
"""Of lists that are no enumeration: the form of a survey."""
