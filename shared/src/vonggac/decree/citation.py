"""How a document is cited (Decree 30/2020/NĐ-CP): in full the first time, by kind and number later."""

import re
from collections.abc import Mapping
from datetime import date

from vonggac.decree.dates import short_day

KINDS: Mapping[str, str] = {
    "NQ": "Nghị quyết",
    "QĐ": "Quyết định",
    "CT": "Chỉ thị",
    "TB": "Thông báo",
    "KH": "Kế hoạch",
    "BC": "Báo cáo",
    "TTR": "Tờ trình",
    "CĐ": "Công điện",
    "CD": "Công điện",
    "HD": "Hướng dẫn",
    "KL": "Kết luận",
    "BB": "Biên bản",
    "NĐ": "Nghị định",
}
"""By the abbreviation in the symbol. A letter has none: its symbol names who wrote it, as in 1742/UBND-VX."""
_ABOUT = re.compile(r"^(?:v/v|về việc|về)\s+", re.IGNORECASE)


def kind_of(number: str) -> str:
    """`Công văn` of `1742/UBND-VX`, `Công điện` of `597/CĐ-BCĐ`."""
    parts = re.split(r"[/\-]", number.upper())[1:]
    return next((KINDS[part] for part in parts if part in KINDS), "Công văn")


def cite(number: str, issued_on: date | None, issuer: str | None, subject: str | None) -> str:
    """Cite a document in full: kind, number and symbol, day, issuer, what it is about."""
    words = [f"{kind_of(number)} số {number}"]
    if issued_on is not None:
        words.append(f"ngày {short_day(issued_on)}")
    if issuer is not None:
        words.append(f"của {issuer}")
    if subject:
        words.append(f"về việc {_lower_first(_ABOUT.sub('', subject.strip().rstrip('.')))}")
    return " ".join(words)


def cite_again(number: str) -> str:
    """Cite a document that was cited in full before: `Công văn số 1742/UBND-VX`."""
    return f"{kind_of(number)} số {number}"


def _lower_first(text: str) -> str:
    """Write the subject so that it goes on a sentence: an acronym at its beginning stays."""
    return text if text[:2].isupper() else f"{text[:1].lower()}{text[1:]}"
