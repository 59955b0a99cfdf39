"""A CSV file with the column «Lỗi»."""

import csv
import io
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter

from inventory.importing.columns import ERRORS, HEADINGS
from inventory.importing.job import Upload
from inventory.importing.marking.secrets import Cells
from inventory.importing.marking.sentences import by_line, is_errors_heading, places_of, sentence
from inventory.importing.reading.sheet import Sheet
from vonggac.http.formulas import escape_formula


def marked_csv(upload: Upload) -> bytes:
    """Line by line, in the encoding (with BOM) and separator it had. Of a file that is no text: its mistakes."""
    buffer = io.StringIO(newline="")
    raw = upload.raw
    writer = csv.writer(buffer, delimiter=raw.separator if raw is not None else ",", lineterminator="\r\n")
    if raw is None:
        writer.writerow([HEADINGS[ERRORS]])
        writer.writerows([[sentence(mistake, None)] for mistake in upload.mistakes])
    else:
        if raw.names_separator:
            buffer.write(f"sep={raw.separator}\r\n")
        (sheet,) = raw.sheets
        blank: Iterator[tuple[int, list[str]]] = ((line, []) for line in sheet.blank_lines)
        for _, cells in merge(_marked_rows(upload, sheet), blank, key=itemgetter(0)):
            writer.writerow(cells)
    return buffer.getvalue().encode("utf-8-sig" if raw is None or raw.encoding == "utf-8" else raw.encoding)


def _marked_rows(upload: Upload, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Each line with its cells, and what is wrong in the last one."""
    table = upload.tables[0] if upload.tables else None
    columns = table.columns if table is not None else None
    mistakes = by_line(upload.mistakes, "")
    rows = sheet.rows
    heading = table.heading_line if table is not None and table.headings else rows[0].line if rows else 1
    cells_of_heading = next((row.cells for row in rows if row.line == heading), ())
    places = places_of(table, cells_of_heading)
    dropped = {place for place, cell in enumerate(cells_of_heading) if is_errors_heading(cell, columns)}
    going_back = Cells(rows, columns, heading, places, upload.mistakes)
    for line, cells in rows:
        shown = [cell for place, cell in enumerate(going_back.hide_secrets(line, cells)) if place not in dropped]
        wrong = "; ".join(sentence(mistake, columns) for mistake in mistakes.get(line, ()))
        width = len(cells_of_heading) - len(dropped)
        shown += [""] * (width - len(shown))
        note = wrong if line != heading else f"{HEADINGS[ERRORS]}: {wrong}" if wrong else HEADINGS[ERRORS]
        yield line, [*(escape_again(str(cell)) for cell in shown), escape_formula(note)]


def escape_again(text: str) -> str:
    """Return a cell as it was sent, not to be run by a spreadsheet; one that is escaped already stays."""
    return text if text.startswith("'") else escape_formula(text)
