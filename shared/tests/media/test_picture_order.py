"""Which pictures of a time are shown in a row."""

import pytest

from vonggac.media.picture_order import shown_in_a_row


@pytest.mark.parametrize(
    ("sent", "keyframe", "shown"),
    [
        ([], None, []),
        ([5], None, [5]),
        ([0, 1, 2, 3], None, [0, 1, 2, 3]),
        ([0, 1, 2, 3], 2, [0, 1, 2, 3]),
        # I P B B P: what is shown before the newest one may be still to come.
        ([0, 3, 1, 2, 6], 0, [0, 1, 2, 3]),
        ([0, 3, 1, 2, 6, 4, 5, 9], 0, [0, 1, 2, 3, 4, 5, 6]),
        # Of an open group: what is shown before its keyframe may have been sent before it.
        ([2, 6, 4, 5, 9, 7, 8, 12], 1, [6, 7, 8, 9]),
        # Amid a pyramid nobody knows what had been sent.
        ([1, 3, 6, 5, 7, 16, 12, 10, 9, 11, 14, 13, 15, 24], None, []),
        ([1, 3, 2], 1, []),
    ],
)
def test_only_what_has_no_holes_counts(sent: list[int], keyframe: int | None, shown: list[int]) -> None:
    assert shown_in_a_row(sent, keyframe) == shown
