"""Portions of cameras grow and shrink by what happened to those before them."""

from reporting.reports.portions import FEW_ROWS, Portions


def taken(rows: list[int], count: int = 100) -> list[int]:
    """The sizes of the portions of `count` cameras, each with so many rows."""
    portions, sizes = Portions(range(count), fewest=4, most=16), list[int]()
    for portion, found in zip(portions, rows, strict=False):
        sizes.append(len(portion))
        portions.had(found)
    return sizes


def test_portions_grow_to_the_most_while_little_happened() -> None:
    assert taken([0] * 6) == [4, 8, 16, 16, 16, 16]


def test_portions_shrink_to_the_fewest_while_much_happened() -> None:
    assert taken([0, 0, FEW_ROWS, FEW_ROWS, FEW_ROWS, 0, 0]) == [4, 8, 16, 8, 4, 4, 8]


def test_every_camera_is_in_one_portion_in_its_order() -> None:
    portions, seen = Portions(range(30), fewest=4, most=16), list[int]()
    for portion in portions:
        seen += portion
        portions.had(0)
    assert seen == [*range(30)]
    assert [*Portions([], fewest=4, most=16)] == []
