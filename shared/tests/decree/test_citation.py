"""How documents are cited: kind, number and symbol, day, issuer, subject (Decree 30/2020/NĐ-CP)."""

from datetime import date

import pytest

from vonggac.decree.citation import cite, cite_again, kind_of


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("1742/UBND-VX", "Công văn"),
        ("1407/BTTTT-CVT", "Công văn"),
        ("597/CĐ-BCĐ", "Công điện"),
        ("597/CD-BCĐ", "Công điện"),
        ("805/QĐ-UBND", "Quyết định"),
        ("30/2020/NĐ-CP", "Nghị định"),
        ("23/CT-TTg", "Chỉ thị"),
    ],
)
def test_letters_cite_a_document_by_its_kind(number: str, kind: str) -> None:
    assert kind_of(number) == kind
    assert cite_again(number) == f"{kind} số {number}"


def test_letters_cite_a_document_in_full_the_first_time() -> None:
    issuer, subject = "Ủy ban nhân dân tỉnh Quảng Trị", "V/v Triển khai khảo sát, kết nối camera giám sát."
    assert cite("1742/UBND-VX", date(2021, 5, 7), issuer, subject) == (
        "Công văn số 1742/UBND-VX ngày 07/5/2021 của Ủy ban nhân dân tỉnh Quảng Trị về việc triển khai khảo sát, kết "
        "nối camera giám sát"
    )
    assert cite("597/CĐ-BCĐ", None, None, None) == "Công điện số 597/CĐ-BCĐ"
