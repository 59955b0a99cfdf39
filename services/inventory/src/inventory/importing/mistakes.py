"""All mistakes of a file, so that its author corrects them at once."""

from http import HTTPStatus

from pydantic import ValidationError

from vonggac.http import FieldError, ProblemError

SHOWN = 1000


class Mistakes:
    """Collects mistakes: counts all, keeps the first SHOWN."""

    def __init__(self) -> None:
        self.count = 0
        self._shown: list[FieldError] = []

    def add_mistake(self, line: int, column: str, message: str) -> None:
        """`line`: 1-based line of the file. `message`: what is wrong, and the right form."""
        self.count += 1
        if len(self._shown) < SHOWN:
            self._shown.append(FieldError(field=column, row=line, message=message))

    def add_validation_errors(self, line: int, error: ValidationError, columns: dict[str, str] | None = None) -> None:
        """Add every error of a row's model. `columns`: field (dotted, or its first part) to its column."""
        for found in error.errors(include_input=False, include_url=False, include_context=False):
            field = str(found["loc"][0]) if found["loc"] else "row"
            names = columns or {}
            column = names.get(".".join(str(part) for part in found["loc"]), names.get(field, field))
            self.add_mistake(line, column, found["msg"].removeprefix("Value error, "))

    def raise_if_any(self) -> None:
        """Raises ProblemError 422 when there are any."""
        if self.count == 0:
            return
        more = f"; the first {SHOWN} are listed" if self.count > SHOWN else ""
        detail = f"{self.count} mistakes{more}. Nothing was imported: correct them and send the file again."
        errors = sorted(self._shown, key=lambda shown: shown.row or 0)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "import_refused", detail, errors)
