"""Closed lists in files: words that officials write, in the lists of a template and in a cell."""

import pytest

from inventory.domain.text import fold
from inventory.importing.checking.cells import Converter
from inventory.importing.columns import Column, Kind
from inventory.importing.derived import columns_of
from inventory.importing.mistakes import RefusalError
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named

NAMES = {"served_transports", "served_login", "vendor", "codec", "transport", "required_proof"}
"""Lists of names that are the same in every language."""


def column(noun: str, name: str) -> Column:
    return columns_of(noun_named(noun)).by_name[name]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.path)
def test_every_list_of_a_template_is_in_vietnamese(noun: Noun) -> None:
    for each in columns_of(noun).columns:
        if each.name not in NAMES:
            assert all(word != value for value, word in each.choices.items()), each.name
        folded = [fold(word) for word in each.choices.values()]
        assert len(folded) == len(set(folded)), each.name


@pytest.mark.parametrize(
    ("noun", "name", "cell", "value"),
    [
        ("unit", "level", "Huyện", "district"),
        ("coverage", "verdict", "chua co camera", "not_covered"),
        ("obligation", "kind", "Khảo sát, thống nhất phương án", "survey_and_plan"),
        ("visit", "purpose", "SỬA CHỮA", "repair"),
        ("blocked_reason", "kind", "hệ thống bị khóa bảo mật", "security_lock"),
        ("survey", "verdict", "cần cấu hình", "needs_config"),
        ("survey", "mode", "từ xa", "remote"),
    ],
)
def test_a_word_of_a_list_is_taken_in_vietnamese(noun: str, name: str, cell: str, value: str) -> None:
    assert Converter(column(noun, name)).convert(cell) == value


@pytest.mark.parametrize(
    "cell", ["trường học; Khách sạn", "Truong hoc,khach san", "school hotel", "school; hotel", "trường học\nhotel"]
)
def test_several_words_of_a_list_stand_in_one_cell(cell: str) -> None:
    types = column("obligation", "facility_types")
    assert types.kind is Kind.CODES
    assert Converter(types).convert(cell) == ("school", "hotel")
    with pytest.raises(RefusalError, match="is none of: military"):
        Converter(types).convert(f"{cell}; lâu đài")
