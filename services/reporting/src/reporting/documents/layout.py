"""What a report adds to the decree's measures, for DOCX and PDF alike."""

EMBEDDED_FONT = "Liberation Serif"
"""Of the PDF; it has the widths of Times New Roman, which DOCX names."""
FOOT = 7
"""Size in points of the foot, which is not in the decree."""
FIELD_HEIGHT_MM, AGENCY_FIELD_MM = 32, 28
"""The fields of the digital signatures below the post: the agency's on the left, the signer's beside it."""
ATTACHED = "(Kèm theo Báo cáo số        ngày      tháng      năm        )"
QR_MM = 15
FOOT_MM = 6
"""From the paper's lower edge to the foot."""
CHART_MM, WIDE_CHART_MM = 165.0, 189.0
"""Width of a chart: the whole text, and three quarters of a wide page's."""
