"""Tables for analysts: one declaration, four formats (JSON, CSV, XLSX, Parquet).

`Table` and `Column` declare, `Stamp` says which period and zone a file is of, `file_of` streams rows into a file.
"""

from reporting.tables.csv_file import Dialect
from reporting.tables.formats import Format, accepted, accepted_of
from reporting.tables.stamp import Stamp
from reporting.tables.stream import Portions, file_of, in_portions
from reporting.tables.table import Column, Kind, Row, Table

__all__ = [
    "Column", "Dialect", "Format", "Kind", "Portions", "Row", "Stamp", "Table", "accepted", "accepted_of", "file_of",
    "in_portions",
]  # fmt: skip
