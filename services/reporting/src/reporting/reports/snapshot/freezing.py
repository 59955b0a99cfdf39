"""Freezing: the rules of when, and the further version when a figure changed after all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from reporting.domain.compliance import RULE_VERSION, RULE_WITHOUT_REGISTER
from reporting.domain.instants import Millis, millis
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.difference import changes
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import FilterPart, Header, PeriodPart, Report, table_parts

type Tables = dict[str, list[Row]]


class NothingChangedError(Exception):
    """A further version would have the figures of the one before."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be frozen, by whom, and in which words."""

    period: PeriodPart
    cut_off_ms: Millis
    filters: FilterPart
    author: str
    deadline_ms: Millis | None
    target_ppm: int
    proposals: tuple[str, ...]
    letterhead: Letterhead


def latest_cut_off(now: datetime, horizon_ms: Millis) -> Millis:
    """The newest instant whose evidence is complete: what is late by less than the horizon still changes figures."""
    return millis(now) - horizon_ms


def first_version(order: Order, tables: Tables, now: datetime) -> Callable[[int, str | None], Report]:
    """The maker of version 1, given its number and the digest of the report before. Digests take time: use a thread."""
    report_id, parts = uuid4(), table_parts(tables)

    def make(number: int, previous_sha256: str | None) -> Report:
        header = Header(
            id=str(report_id),
            version=1,
            number=number,
            period=order.period,
            cut_off_ms=order.cut_off_ms,
            frozen_at_ms=millis(now),
            author=order.author,
            rule_version=RULE_VERSION,
            filters=order.filters,
            deadline_ms=order.deadline_ms,
            target_ppm=order.target_ppm,
            proposals=list(order.proposals),
            letterhead=order.letterhead,
            reason=None,
            replaces_sha256=None,
            previous_sha256=previous_sha256,
            tables=parts,
        )
        return Report(header, tables)

    return make


@dataclass(frozen=True, slots=True)
class Correction:
    """Why a further version is made, by whom, when."""

    reason: str
    author: str
    now: datetime
    cut_off_ms: Millis


def next_version(before: Report, tables: Tables, correction: Correction) -> Callable[[int, str | None], Report]:
    """The maker of version n + 1; use a thread. Raises NothingChangedError when every figure is as it was.

    It is of the same tables and by the same rule as the version before: what a report was frozen without, no version of
    it has.
    """
    changed = changes(before.tables, tables)
    if not changed:
        raise NothingChangedError
    whole = {**tables, "changes": changed}
    header, parts = before.header, table_parts(whole)

    def make(number: int, previous_sha256: str | None) -> Report:
        further = header.model_copy(
            update={
                "version": header.version + 1,
                "number": number,
                "cut_off_ms": correction.cut_off_ms,
                "frozen_at_ms": millis(correction.now),
                "author": correction.author,
                "rule_version": header.rule_version if before.has_register else RULE_WITHOUT_REGISTER,
                "reason": correction.reason,
                "replaces_sha256": before.sha256,
                "previous_sha256": previous_sha256,
                "tables": parts,
            }
        )
        return replace(before, header=further, tables=whole, approval=None)

    return make
