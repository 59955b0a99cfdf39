"""A CSV file with the column «Lỗi»."""

import csv
import io

from inventory.importing.columns import ERRORS, HEADINGS
from inventory.importing.job import Upload
from inventory.importing.marking.secrets import Cells
from inventory.importing.marking.sentences import by_line, is_errors_heading, places_of, sentence
from vonggac.http.formulas import escape_formula


def marked_csv(upload: Upload) -> bytes:
    """UTF-8 with BOM, in the file's own separator. Of a file that could not be read: its mistakes alone."""
    buffer = io.StringIO(newline="")
    separator = upload.raw.separator if upload.raw is not None else ","
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    if upload.raw is None:
        writer.writerow([HEADINGS[ERRORS]])
        writer.writerows([[sentence(mistake, None)] for mistake in upload.mistakes])
        return b"\xef\xbb\xbf" + buffer.getvalue().encode()
    table = upload.tables[0] if upload.tables else None
    columns = table.columns if table is not None else None
    mistakes = by_line(upload.mistakes, "")
    rows = upload.raw.sheets[0].rows
    heading = table.heading_line if table is not None and table.headings else rows[0].line if rows else 1
    cells_of_heading = next((row.cells for row in rows if row.line == heading), ())
    places = places_of(table, cells_of_heading)
    dropped = {place for place, cell in enumerate(cells_of_heading) if is_errors_heading(cell, columns)}
    going_back = Cells(rows, columns, heading, places)
    for line, cells in rows:
        shown = [going_back.shown(line, place, cell) for place, cell in enumerate(cells) if place not in dropped]
        wrong = "; ".join(sentence(mistake, columns) for mistake in mistakes.get(line, ()))
        width = len(cells_of_heading) - len(dropped)
        shown += [""] * (width - len(shown))
        note = wrong if line != heading else f"{HEADINGS[ERRORS]}: {wrong}" if wrong else HEADINGS[ERRORS]
        writer.writerow([*(escape_again(str(cell)) for cell in shown), escape_formula(note)])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def escape_again(text: str) -> str:
    """A cell as it was sent, not to be run by a spreadsheet; one that is escaped already stays."""
    return text if text.startswith("'") else escape_formula(text)
