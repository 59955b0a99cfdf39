"""The declarations fit together: order, tables, headings, references."""

import pytest

from inventory.api.nouns.models import models_of
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named
from inventory.storage.states import PAYLOADS
from inventory.storage.tables import HISTORY, THINGS, DecisionRequest, SelfApproval

nouns = pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)


def test_every_table_of_things_has_its_noun_and_its_history() -> None:
    assert set(THINGS) == set(HISTORY)
    # What is asked for is never changed or imported: it is decided, by routes of its own.
    assert {noun.table for noun in NOUNS} == {*THINGS} - {DecisionRequest, SelfApproval}
    assert len({noun.name for noun in NOUNS}) == len({noun.path for noun in NOUNS}) == len(NOUNS)


@nouns
def test_a_noun_refers_only_to_nouns_before_it(noun: Noun) -> None:
    before = [other.name for other in NOUNS[: NOUNS.index(noun)]]
    assert {name for name in noun.references.values() if name != noun.name} <= set(before)
    assert set(noun.searched_through) <= set(noun.references)


@nouns
def test_a_noun_is_called_as_its_table_is(noun: Noun) -> None:
    assert noun.table.noun == noun.name
    assert noun.payload is None or PAYLOADS[noun.table] is noun.payload


@nouns
def test_a_declaration_names_what_there_is(noun: Noun) -> None:
    fields, columns = set(noun.fields.model_fields), set(noun.table.__table__.columns.keys())
    # What the register itself sets (a status, a version) is no field, and may be shown, found and filtered by.
    assert set(noun.headings) <= fields | columns
    assert set(noun.key) <= fields | columns
    assert set(noun.filters) <= columns
    assert set(noun.references) <= fields & columns
    assert set(noun.sorts) <= columns
    assert noun.label in columns
    assert {"valid_from", "valid_to"} <= columns
    assert len({"valid_from", "valid_to"} & fields) != 1


@nouns
def test_a_patch_can_hold_every_field_that_may_be_changed_and_needs_none(noun: Noun) -> None:
    patch = models_of(noun).patch
    assert set(patch.model_fields) == set(noun.fields.model_fields) - noun.unchangeable
    assert patch.model_validate({}).model_fields_set == set()


def test_a_noun_is_found_by_its_name() -> None:
    assert noun_named("focal_point").path == "focal-points"
