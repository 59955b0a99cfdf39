"""Columns of structured values: JSON in the database, checked pydantic values in the program."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


class Structured(TypeDecorator[Any]):
    """JSONB of one pydantic type, e.g. `tuple[Finding, ...]`."""

    impl = JSONB
    cache_ok = True

    def __init__(self, shape: Any) -> None:
        super().__init__(none_as_null=True)
        self.shape = shape

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Check what is stored, also when it comes as plain dictionaries."""
        adapter = TypeAdapter(self.shape)
        return None if value is None else adapter.dump_python(adapter.validate_python(value), mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else TypeAdapter(self.shape).validate_python(value)
