"""Vietnamese words of closed lists, as officials write them in files."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from inventory.domain.devices.areas import Area
from vonggac.events.inventory import (
    AgencyRole,
    DestinationRole,
    FacilityStatus,
    FacilityType,
    MediaTransport,
    RequiredProof,
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
    FacilityStatus: {
        FacilityStatus.PLANNED: "dự kiến",
        FacilityStatus.APPROVED: "đã phê duyệt",
        FacilityStatus.ACTIVE: "đang hoạt động",
        FacilityStatus.SUSPENDED: "tạm dừng",
        FacilityStatus.CLOSED: "đã đóng",
    },
    AgencyRole: {
        AgencyRole.LEAD: "chủ trì",
        AgencyRole.OPERATOR: "đơn vị vận hành",
        AgencyRole.MANAGING: "cơ quan quản lý",
        AgencyRole.PEOPLES_COMMITTEE: "uỷ ban nhân dân",
        AgencyRole.MINISTRY: "bộ",
        AgencyRole.STEERING_COMMITTEE: "ban chỉ đạo",
    },
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
}
