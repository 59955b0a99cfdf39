"""What every row of a file says of the file: its period, its time zone, its moment, the rule behind its figures."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reporting.domain.compliance import RULE_VERSION
from reporting.domain.instants import TIME_ZONE, Millis, moment
from reporting.domain.segments import Period
from reporting.tables.table import Row, Table


@dataclass(frozen=True, slots=True)
class Stamp:
    """Of one file. `period` is None for a table that is of no period."""

    generated_at: Millis
    period: Period | None = None
    time_zone: str = TIME_ZONE
    rule_version: int = int(RULE_VERSION)

    def values(self, table: Table) -> Row:
        """Return the values of `table.stamps`."""
        rest: Row = (self.time_zone, self.generated_at, self.rule_version)
        if not table.periodic:
            return rest
        assert self.period is not None, table.name
        return (*self.period, *rest)

    def local(self, instant: Millis) -> datetime:
        """Convert an instant to the file's zone."""
        return moment(instant).astimezone(ZoneInfo(self.time_zone))

    def file_name(self, table: Table, extension: str) -> str:
        """ASCII, sorted by time: cameras-20261101T000000-20261201T000000.csv."""
        instants = (self.generated_at,) if self.period is None or not table.periodic else tuple(self.period)
        return "-".join([table.name, *(f"{self.local(one):%Y%m%dT%H%M%S}" for one in instants)]) + f".{extension}"
