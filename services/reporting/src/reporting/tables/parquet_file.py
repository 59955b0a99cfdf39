"""A table as Parquet: typed columns, a row group for each portion, the declaration in the file's metadata."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from reporting.tables.arrays import arrays_of, stored_type
from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Rows, Table


class ParquetFile:
    """Writes portions of rows as bytes; keeps the footer's statistics, some kilobytes a row group."""

    def __init__(self, table: Table, stamp: Stamp) -> None:
        self._table, self._stamp = table, stamp
        fields = [
            pa.field(
                column.name, stored_type(column, stamp.time_zone), not column.required, metadata=_described(column)
            )
            for column in table.written
        ]
        self._schema = pa.schema(fields, metadata=self._metadata())
        self._sink = _Sink()
        self._writer: Any = parquet.ParquetWriter(self._sink, self._schema, compression="zstd", version="2.6")

    def begin(self) -> bytes:
        """Write the magic number."""
        return self._sink.taken()

    def write(self, rows: Rows) -> bytes:
        """Write the row group of `rows`."""
        if rows:
            arrays = arrays_of(self._table, self._stamp, rows)
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        return self._sink.taken()

    def end(self) -> Iterator[bytes]:
        """Yield the footer."""
        self._writer.close()
        yield self._sink.taken()

    def close(self) -> None:
        """Let the writer go, also where it was cut short."""
        self._writer = None

    def _metadata(self) -> dict[str, str]:
        table, stamp = self._table, self._stamp
        values = zip(table.stamps, stamp.values(table), strict=True)
        about = {column.name: str(value) for column, value in values}
        for name in ("period_from", "period_to", "generated_at", "as_of"):
            if name in about:
                about[name] = stamp.local(int(about[name])).isoformat(timespec="milliseconds")
        named = {"table": table.name, "title_vi": table.title_vi, "title_en": table.title_en}
        return {f"vonggac.{key}": value for key, value in {**named, **about, "key": json.dumps(table.key)}.items()}


def _described(column: Column) -> dict[str, str]:
    described = {"heading": column.heading, "description": column.description, "kind": column.kind.value}
    return described if column.unit is None else {**described, "unit": column.unit}


class _Sink(io.RawIOBase):
    """A file that hands out what is written to it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._length

    def taken(self) -> bytes:
        """All that was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
