"""How many cameras are read at a time where few of them may have had much happen to them."""

from collections.abc import Iterator, Sequence

FEW_ROWS = 2000
"""Of a portion after which the next one may be larger: on a bad day a camera has hundreds."""


class Portions[One]:
    """Portions of `cameras`, in their order, each twice or half as large as the one before it by the rows that had."""

    def __init__(self, cameras: Sequence[One], *, fewest: int, most: int) -> None:
        self._cameras, self._fewest, self._most = cameras, fewest, most
        self._size = fewest

    def __iter__(self) -> Iterator[Sequence[One]]:
        done = 0
        while portion := self._cameras[done : done + self._size]:
            yield portion
            done += len(portion)

    def had(self, rows: int) -> None:
        """Call with the rows of each portion before the next one is taken."""
        self._size = min(self._most, self._size * 2) if rows < FEW_ROWS else max(self._fewest, self._size // 2)
