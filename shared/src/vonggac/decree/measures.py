"""The measures and the fixed words of the annex, for Word and for whatever else sets a document."""

FONT = "Times New Roman"
BODY, NAMES, HEAD, TABLE, WIDE_TABLE = 14, 12, 13, 12, 10
"""Sizes in points: body 13 to 14, names at the head 12 to 13, number and motto 13; tables are not in the decree."""
RECIPIENTS_HEAD, RECIPIENTS = 12, 11
LONG_CELL = 300
"""A row with a cell of more letters may be broken over pages."""
SHORT_TABLE, TIED_ROWS = 12, 3
"""A table of so few rows stands on one page; of a longer one so many rows stay together at its end."""
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
SIGNER = "QUYỀN HẠN, CHỨC VỤ CỦA NGƯỜI KÝ"
"""Where nobody is named: the clerk writes over it."""


def number_line(symbol: str) -> str:
    """`Số:        /BC-STTTT`: the clerk fills in the number."""
    return f"Số:        /{symbol}"


def date_line(place: str) -> str:
    """`Quảng Trị, ngày      tháng      năm      `: the clerk fills in the date."""
    return f"{place}, ngày      tháng      năm        "
