"""Who writes to whom: what Decree 30/2020/NĐ-CP, Annex I puts around a report. Given when a report is frozen, or as the
register has it then (`letterhead_of_register`)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from reporting.domain.mandate.obligations import ADDRESSEES


class Letterhead(BaseModel):
    """Defaults are those of letter 1742/UBND-VX: the department reports to the People's Committee and the Ministry.

    Number, date and signature are never here: the clerk fills them in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: str = Field(
        default="UBND tỉnh Quảng Trị", max_length=200, description="The agency above; at the head in capitals."
    )
    issuer: str = Field(
        default="Sở Thông tin và Truyền thông",
        max_length=200,
        description="The issuing agency; at the head in capitals.",
    )
    symbol: str = Field(default="BC-STTTT", max_length=40, description="Behind the number: kind and agency.")
    place: str = Field(default="Quảng Trị", max_length=100, description="Before the date.")
    addressees: list[str] = Field(
        default=[*ADDRESSEES],
        min_length=1,
        max_length=20,
        description="«Kính gửi», one a line. Default: VONGGAC_REPORTING_REPORT_ADDRESSEES.",
    )
    subject: str = Field(
        default="Kết quả kết nối và hoạt động của hệ thống camera giám sát tại các cơ sở cách ly tập trung",
        max_length=300,
        description="What the report is about (trích yếu).",
    )
    basis: str = Field(
        default=(
            "Thực hiện Công văn số 1742/UBND-VX ngày 07/5/2021 của Ủy ban nhân dân tỉnh Quảng Trị về việc triển khai "
            "khảo sát, kết nối camera giám sát ở các khu cách ly tập trung trên địa bàn tỉnh"
        ),
        max_length=1000,
        description="The directive that is carried out, in full at its first citation.",
    )
    signer_title: str = Field(default="GIÁM ĐỐC", max_length=200, description="Post of the signer.")
    signer_name: str | None = Field(default=None, max_length=200, description="Below the room to sign.")
    signer_authority: str | None = Field(
        default=None, max_length=200, description="KT., TL., TUQ. and on whose behalf."
    )
    copies: list[str] = Field(
        default=["Như trên", "Viettel Quảng Trị", "Lưu: VT, BCVT"],
        max_length=20,
        description="«Nơi nhận», one a line.",
    )

    @model_serializer(mode="wrap")
    def _without_what_is_not_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out a signer's name that nobody gave: headers of earlier reports keep their digest."""
        found: dict[str, Any] = handler(self)
        return found if self.signer_name is not None else {k: v for k, v in found.items() if k != "signer_name"}
