"""The layout of Decree 30/2020/NĐ-CP, Annex I, on A4: the measures that DOCX and PDF share."""

FONT = "Times New Roman"
"""In DOCX. The PDF embeds Liberation Serif, which has the same widths."""
EMBEDDED_FONT = "Liberation Serif"
BODY, NAMES, HEAD, TABLE, WIDE_TABLE, FOOT = 14, 12, 13, 12, 10, 7
"""Sizes in points: body 13 to 14, names at the head 12 to 13, number 13; tables and foot are not in the decree."""
RECIPIENTS_HEAD, RECIPIENTS = 12, 11
PAGE_MM = (210, 297)
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 20, 25, 30, 15
"""Allowed: 20 to 25, 20 to 25, 30 to 35, 15 to 20."""
TEXT_MM = PAGE_MM[0] - LEFT_MM - RIGHT_MM
WIDE_TEXT_MM = PAGE_MM[1] - LEFT_MM - RIGHT_MM
FIRST_LINE_MM = 12.7
BETWEEN_PT = 6
LEFT_HEAD_MM, RIGHT_HEAD_MM = 75.5, TEXT_MM - 75.5
COUNTRY = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
MOTTO_MM = 56
"""Width of the motto at 13 points, bold: the rule below it is as long."""
FIELD_HEIGHT_MM, AGENCY_FIELD_MM = 32, 28
"""The fields of the digital signatures below the post: the agency's on the left, the signer's beside it."""
ATTACHED = "(Kèm theo Báo cáo số        ngày      tháng      năm        )"
QR_MM = 15
FOOT_MM = 6
"""From the paper's lower edge to the foot."""


def number_line(symbol: str) -> str:
    """`Số:        /BC-STTTT`: the clerk fills in the number."""
    return f"Số:        /{symbol}"


def date_line(place: str) -> str:
    """`Quảng Trị, ngày      tháng      năm      `: the clerk fills in the date."""
    return f"{place}, ngày      tháng      năm        "
