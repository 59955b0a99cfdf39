"""Codes of a file among themselves and beside the codes on record: twice, almost the same, a zero lost."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from inventory.domain.fields import folded_code
from inventory.importing.mistakes import Mistakes, phrase


def check_codes(
    rows: Iterable[tuple[int, str]], on_record: Mapping[str, object], column: str, mistakes: Mistakes
) -> None:
    """`rows`: line and code of each row; `on_record`: the codes of the register."""
    first: dict[str, int] = {}
    alike: dict[str, tuple[str, int]] = {}
    recorded: dict[str, str] | None = None
    for line, code in rows:
        if code in first:
            mistakes.add(line, column, phrase("twice", value=code, line=first[code]), value=code)
            continue
        first[code] = line
        folded = folded_code(code)
        if code in on_record:
            # Two that are on record are two, however alike.
            alike.setdefault(folded, (code, line))
            continue
        if folded in alike:
            other, where = alike[folded]
            mistakes.add_phrase(
                line,
                column,
                "like_another",
                value=code,
                other=other,
                where=f"in line {where}",
                where_vi=f"ở dòng {where}",
            )
            continue
        alike[folded] = (code, line)
        if recorded is None:
            recorded = {folded_code(each): each for each in on_record}
        other = recorded.get(folded, "")
        if other and other.casefold() != code.casefold() and len(other) > len(code):
            mistakes.add_phrase(line, column, "lost_zero_code", value=code, there=other)
        elif other:
            mistakes.add_phrase(
                line, column, "like_another", value=code, other=other, where="on record", where_vi="đã có trong sổ"
            )


class OnRecord[V](dict[str, V]):
    """Records by code. The advice for a wrong row is made once: a file may have thousands of them."""

    @cached_property
    def ordered(self) -> Sequence[str]:
        """The codes in their order."""
        return sorted(self)

    def near(self, code: str) -> str | None:
        """Find the code on record that `code` was before a spreadsheet dropped its leading zero."""
        return self._folded.get(folded_code(code))

    @cached_property
    def _folded(self) -> Mapping[str, str]:
        return {folded_code(each): each for each in reversed(self)}
