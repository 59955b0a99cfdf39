"""The two clocks of a request: what was on record then (`as_of`), and what was in force on a day (`valid_on`)."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

AsOf = Annotated[
    AwareDatetime | None, Query(description="What was on record at this instant; without it, what is on record now.")
]
ValidOn = Annotated[
    date | None, Query(description="What was, by what is on record, in force on this day (Asia/Ho_Chi_Minh).")
]
