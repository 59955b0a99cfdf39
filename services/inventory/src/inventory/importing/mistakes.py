"""All that is wrong with a file, so that it is put right in one go."""

from http import HTTPStatus

from pydantic import ValidationError

from vonggac.http import FieldError, ProblemError

SHOWN = 1000


class Mistakes:
    """Collects mistakes; the first SHOWN are kept, all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self._shown: list[FieldError] = []

    def add(self, line: int, column: str, message: str) -> None:
        """`line`: 1-based line of the file. `message`: what is wrong and what would be right."""
        self.count += 1
        if len(self._shown) < SHOWN:
            self._shown.append(FieldError(field=column, row=line, message=message))

    def add_all(self, line: int, error: ValidationError, columns: dict[str, str] | None = None) -> None:
        """Every mistake of a row's model; `columns`: field (dotted, or its first part) to its column."""
        for found in error.errors(include_input=False, include_url=False, include_context=False):
            field = str(found["loc"][0]) if found["loc"] else "row"
            names = columns or {}
            column = names.get(".".join(str(part) for part in found["loc"]), names.get(field, field))
            self.add(line, column, found["msg"].removeprefix("Value error, "))

    def refuse(self) -> None:
        """Raises ProblemError 422 when there are any."""
        if self.count == 0:
            return
        more = f"; the first {SHOWN} are listed" if self.count > SHOWN else ""
        detail = f"{self.count} mistakes{more}. Nothing was imported: put them right and send the file again."
        errors = sorted(self._shown, key=lambda shown: shown.row or 0)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "import_refused", detail, errors)
