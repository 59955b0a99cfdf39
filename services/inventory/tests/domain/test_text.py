"""Vietnamese text: stored once, found however it is typed."""

import random
import unicodedata
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.text import clean, fold, order_key, person_order_key
from vonggac.http.protection.texts import visible


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("dakrong", "Đakrông"), ("huong hoa", "Hướng Hoá"), ("HƯỚNG HÓA", "Hướng Hoá"), ("quí", "Quý"),
        ("a  b", "A b"), ("đông hà", "\u00d0ông Hà"), ("\u00d0ÔNG HÀ", "Đông Hà"), ("\u00f0akrông", "Đakrông"),
        ("\u0189ông Hà", "Đông Hà"),
    ],
)  # fmt: skip
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


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u034f", "\ufe0f", "\u3164", "\U000e0041", "\U00013430"])
def test_what_nobody_sees_is_refused_as_in_every_request(sign: str) -> None:
    for check in (clean, visible):
        with pytest.raises(ValueError, match=rf"invisible character \(U\+{ord(sign):04X}\)"):
            check(f"Sở{sign} Y tế")


@pytest.mark.parametrize(
    "fine", ["Trạm Đo lường - Thử nghiệm Lao Bảo", "Tầng 2 (dãy A) & sân", "Nhà khách “Cửa Việt”", "Hikvision®"]
)
def test_real_names_pass(fine: str) -> None:
    assert clean(fine) == fine


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def shuffled_and_sorted(names: Sequence[str], key: Callable[[str], str]) -> list[str]:
    found = random.Random(1742).sample(names, len(names))
    assert found != names
    found.sort(key=key)
    return found


def test_names_are_in_the_order_of_vietnamese_dictionaries() -> None:
    letters = list("aăâbcdđeêghiklmnoôơpqrstuưvxy")
    assert shuffled_and_sorted(letters, order_key) == letters
    tones = ["ma", "mà", "mả", "mã", "má", "mạ", "mai"]
    assert shuffled_and_sorted(tones, order_key) == tones
    places = ["Cam Lộ", "Cồn Cỏ", "Da Krông", "Đa Krông", "Đông Hà", "Gio Linh", "Hải Lăng", "Hướng Hóa"]
    assert shuffled_and_sorted(places, order_key) == places
    # U+00D0 and U+0189 stand on some keyboards, and show as U+0110 does.
    others = ["Da Krông", "Đa Krông", "\u00d0a Krông X", "\u00f0ồng", "\u0189ông Hà", "Đông Hải", "E"]
    assert shuffled_and_sorted(others, order_key) == others


def test_case_and_digits_do_not_part_what_belongs_together() -> None:
    names = ["Khu 1", "Khu A", "khu ă", "KHU Â", "Khu b"]
    assert shuffled_and_sorted(names, order_key) == names


def test_people_are_in_the_order_of_their_given_names() -> None:
    people = ["Nguyễn Văn An", "Trần Thị Ân", "Lê Bình", "Trần Bình", "Trần Văn Bình"]
    assert shuffled_and_sorted(people, person_order_key) == people
