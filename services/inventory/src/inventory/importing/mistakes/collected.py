"""All mistakes of a file, so that its author corrects them at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from inventory.importing.mistakes.secrets import HIDDEN, hide_secrets, repeats
from inventory.importing.mistakes.texts import Text, phrase
from vonggac.http import FieldError, ProblemError

SHOWN = 1000
MOST_KEPT = 5000
"""Of a file: of more only their number is known. A file of nothing else would take fifty times its size."""
VALUE_LENGTH = 80
NUL = "␀"
"""In place of the character that no database holds: the list of imports keeps the mistakes."""
FILE = "file"
ROW = "row"


type HeadingOf = Callable[[Mistake], str | None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `line`: 1-based line of the file (row of the sheet). `column`: technical name, FILE or ROW."""

    line: int
    column: str
    text: Text
    value: str | None = None
    sheet: str | None = None

    def without(self, known: Iterable[str]) -> "Mistake":
        """Copy this mistake, with none of these secrets in its value and its sentence."""
        if self.value is None or not repeats(self.value, known):
            return self
        return replace(self, value=HIDDEN, text=Text(*(part.replace(self.value, HIDDEN) for part in self.text)))

    def as_error(self, heading: str | None) -> FieldError:
        return FieldError(
            field=self.column,
            row=self.line,
            message=self.text.english,
            message_vi=self.text.vietnamese,
            value=self.value,
            heading=heading,
            sheet=self.sheet,
        )


class Mistakes:
    """Collects mistakes: counts all, keeps the first MOST_KEPT. An answer lists SHOWN, a marked file what is kept."""

    def __init__(self, sheet: str | None = None) -> None:
        self.sheet = sheet
        self.found: list[Mistake] = []
        self.more = 0
        """Counted, and not kept."""

    @property
    def count(self) -> int:
        return len(self.found) + self.more

    def add(self, line: int, column: str, text: Text, *, value: object = None) -> None:
        """Add a mistake; `value` is shortened, and what looks like a login is hidden, in the sentence too."""
        if len(self.found) >= MOST_KEPT:
            self.more += 1
            return
        shown = None
        column, text = column.replace("\0", NUL), Text(*(part.replace("\0", NUL) for part in text))
        if value is not None:
            given = str(value).replace("\0", NUL)
            shown = hide_secrets(given)
            if shown != given:
                text = Text(*(part.replace(given, shown) for part in text))
        self.found.append(Mistake(line, column, text, shown and shown[:VALUE_LENGTH], self.sheet))

    def add_all(self, found: Iterable[Mistake]) -> None:
        """Add mistakes that are there already."""
        for mistake in found:
            if len(self.found) < MOST_KEPT:
                self.found.append(mistake)
            else:
                self.more += 1

    def add_phrase(self, line: int, column: str, key: str, /, *, value: object = None, **values: object) -> None:
        """Add the sentence `key` as a mistake."""
        said = {name: hide_secrets(each) if isinstance(each, str) else each for name, each in values.items()}
        self.add(line, column, phrase(key, value=value, **said), value=value)

    def raise_if_any(self) -> None:
        """Raise ProblemError 422 when there are any."""
        if self.found:
            raise refused(self.found, more=self.more)


def refused(
    found: Sequence[Mistake], heading_of: Callable[[Mistake], str | None] = lambda _mistake: None, *, more: int = 0
) -> ProblemError:
    """Build the 422 that lists the mistakes in the order of their lines. `more`: counted, and not kept."""
    count = len(found) + more
    listed = f"; the first {SHOWN} are listed" if count > SHOWN else ""
    plural = "mistake" if count == 1 else "mistakes"
    detail_vi = f"{count} lỗi. Chưa nhập dòng nào: hãy sửa rồi gửi lại tệp."
    detail = f"{count} {plural}{listed}. Nothing was imported: correct them and send the file again. ({detail_vi})"
    shown = sorted(found, key=lambda each: (each.sheet or "", each.line))[:SHOWN]
    errors = [mistake.as_error(heading_of(mistake)) for mistake in shown]
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "import_refused", detail, errors, detail_vi=detail_vi)
