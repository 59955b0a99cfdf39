"""Which operations of a register are asked in a run: three nouns for all, two by the day, and what is made by hand."""

import pytest
from tests.clients.shapes import NOUNS_FOR_ALL, NOUNS_OF_THE_DAY, choose_by_shape, find_nouns
from tests.unit.day import DAY, EVERY_CASE

NOUNS = (*NOUNS_FOR_ALL, "agencies", "recorders", "surveys", "teams", "visits")
BY_HAND = [("get", "/v1/changes"), ("post", "/v1/visits/{thing_id}/access"), ("put", "/v1/recorders/{thing_id}/secret")]
DECLARED = [
    route
    for noun in NOUNS
    for route in (("get", f"/v1/{noun}"), ("post", f"/v1/imports/{noun}"), ("get", f"/v1/exports/{noun}.csv"))
]
ROUTES = [*BY_HAND, ("post", "/v1/imports/workbook"), *DECLARED]


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DAY, "20261201")
    monkeypatch.delenv(EVERY_CASE, raising=False)


def chosen() -> list[tuple[str, str]]:
    return choose_by_shape(ROUTES, lambda route: route)


def test_the_nouns_of_a_document_are_what_lists_can_be_imported_of() -> None:
    assert find_nouns(path for _, path in ROUTES) == set(NOUNS)


def test_routes_made_by_hand_are_always_asked() -> None:
    assert chosen()[: len(BY_HAND)] == BY_HAND


def test_three_nouns_stand_for_all_and_two_come_by_the_day() -> None:
    lists = {path.removeprefix("/v1/") for method, path in chosen() if method == "get" and path.count("/") == 2}
    assert lists >= set(NOUNS_FOR_ALL)
    assert len(lists & set(NOUNS)) == len(NOUNS_FOR_ALL) + NOUNS_OF_THE_DAY


def test_a_chosen_noun_is_asked_for_all_of_its_shapes() -> None:
    assert len(set(chosen()) & set(DECLARED)) == 3 * (len(NOUNS_FOR_ALL) + NOUNS_OF_THE_DAY)


def test_a_day_chooses_the_same_again_and_every_noun_has_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen() == chosen()
    asked: set[tuple[str, str]] = set()
    for day in range(60):
        monkeypatch.setenv(DAY, str(day))
        asked.update(chosen())
    assert asked == set(ROUTES)


def test_every_case_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EVERY_CASE, "1")
    assert chosen() == ROUTES
