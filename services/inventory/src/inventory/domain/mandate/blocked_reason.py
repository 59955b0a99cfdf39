"""Why a facility cannot be connected as it is: a closed list of reasons, with free text (R20)."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Fields, Line, ValidTo
from vonggac.events.inventory import BlockedKind

HEADINGS: Mapping[str, str] = {
    "facility_id": "Mã cơ sở",
    "kind": "Vướng mắc",
    "text": "Nội dung",
    **PERIOD_HEADINGS,
}
VIETNAMESE: Mapping[BlockedKind, str] = {
    BlockedKind.OBSOLETE_EQUIPMENT: "thiết bị cũ, lạc hậu",
    BlockedKind.SECURITY_LOCK: "hệ thống bị khóa bảo mật",
    BlockedKind.NON_COOPERATION: "đơn vị chưa phối hợp",
    BlockedKind.NEEDS_NEW_INVESTMENT: "cần đầu tư mới",
    BlockedKind.NEEDS_REPAIR: "cần sửa chữa",
    BlockedKind.NEEDS_SUPPLEMENT: "cần bổ sung",
    BlockedKind.OTHER: "khác",
}


class BlockedReasonFields(Fields):
    """One reason, for the days on which it held; a facility may have several at a time."""

    facility_id: UUID
    kind: BlockedKind
    text: Line | None = Field(default=None, description="What exactly; needed for the kind `other`.")
    valid_from: date = Field(description="First day.")
    valid_to: ValidTo = Field(default=None, description="Last day, included; empty while it holds.")

    @model_validator(mode="after")
    def _other_is_explained(self) -> "BlockedReasonFields":
        if self.kind is BlockedKind.OTHER and self.text is None:
            msg = "the kind `other` needs a text"
            raise ValueError(msg)
        return self
