"""The page of changes has a word for whatever the log of the register names."""

from console.pages.audit import WORDS
from inventory.storage.tables import Base


def test_every_noun_of_the_log_has_a_word() -> None:
    names = {getattr(each.class_, "noun", None) for each in Base.registry.mappers}
    logged = {name for name in names if isinstance(name, str)}
    assert len(logged) > 20
    assert sorted(logged - WORDS.keys()) == []
