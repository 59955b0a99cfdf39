"""Vietnamese text: stored once, found however it is typed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.text import clean, fold


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("dakrong", "Đakrông"), ("huong hoa", "Hướng Hoá"), ("HƯỚNG HÓA", "Hướng Hoá"), ("quí", "Quý"), ("a  b", "A b")],
)
def test_search_ignores_diacritics_case_and_spelling_variants(typed: str, stored: str) -> None:
    assert fold(typed) == fold(stored)


def test_composed_and_decomposed_input_are_stored_alike() -> None:
    assert clean(unicodedata.normalize("NFD", "Triệu  Phong ")) == "Triệu Phong"


@pytest.mark.parametrize("legacy", ["Tr¹m y tÕ", "Tr­êng Qu©n sù", "Bệnh vi�n", "a\x85b"])
def test_legacy_text_is_refused_with_the_way_out(legacy: str) -> None:
    with pytest.raises(ValueError, match="convert it to Unicode"):
        clean(legacy)


def test_control_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        clean("a\x00b")


@pytest.mark.parametrize(
    "fine", ["Trạm Đo lường - Thử nghiệm Lao Bảo", "Tầng 2 (dãy A) & sân", "Nhà khách “Cửa Việt”", "Hikvision®"]
)
def test_real_names_pass(fine: str) -> None:
    assert clean(fine) == fine


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
