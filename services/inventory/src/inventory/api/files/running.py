"""Runs one import for its route: counts, lists, stores; at once or in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import RequestContext
from inventory.api.files.received import Received
from inventory.api.nouns.rules import make_thing, patch_thing
from inventory.importing.cells.dates import PROVINCE_TIME
from inventory.importing.job import (
    Importing,
    Upload,
    brought_by,
    check,
    difference,
    plan_table,
    read_upload,
    store_plan,
)
from inventory.importing.mistakes import Mistakes
from inventory.importing.planning.plan import Action, Plan
from inventory.importing.planning.register import Brought
from inventory.importing.reading.table import Table
from inventory.importing.storing.import_list import AlsoWritten, ImportEntry, Phase, Sender
from inventory.importing.storing.people import opens_a_facility
from inventory.importing.storing.rows import NounRules
from inventory.importing.storing.same_devices import Compared, find_same_meanwhile
from inventory.nouns.noun import Noun
from inventory.nouns.registry import related
from inventory.nouns.writer import Write
from inventory.storage.bulk import refresh_statistics
from inventory.storage.change_log import Actor, actor_of
from inventory.storage.queries.clocks import settled_instant
from inventory.storage.queries.concurrent_writes import OvertakenError
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Delivery
from vonggac.auth import Principal
from vonggac.http import ProblemError
from vonggac.telemetry import get_logger
from vonggac.telemetry.garbage_collection import give_memory_back, rarely_collected

log = get_logger(__name__)
RULES = NounRules(make_thing, patch_thing)
SHOWN_ROWS = 1000
"""Rows of the difference that an answer shows."""
MOST_TRIED = 1000
"""Rows of a dry run that is stored and undone: of more, others would wait for them too long."""
COUNTED_ANEW = 1000
"""After so many rows the tables' statistics are made anew."""


type Keep = Callable[[AsyncSession, Outcome], Awaitable[None]]


class _TriedError(Exception):
    """Undoes what a dry run has stored."""


@dataclass(slots=True)
class Outcome:
    """What an import did, or a dry run would do."""

    import_id: UUID | None
    kind: str
    dry_run: bool
    counts: dict[str, int]
    rows: list[dict[str, Any]]


class Run:
    """One import of one request."""

    def __init__(
        self,
        context: RequestContext,
        caller: Principal,
        nouns: Sequence[Noun],
        kind: str,
        file: Received,
        *,
        dry_run: bool,
        reason: str | None,
        listed: bool,
        keep: Keep | None = None,
    ) -> None:
        """Prepare the run; `listed`: in the list of imports, as a dry run is only in the background.

        `keep`: has the answer kept in the transaction that stores the file.
        """
        self.services, self.caller, self.nouns, self.kind, self.file = context.services, caller, nouns, kind, file
        self.dry_run, self.reason, self.request_id = dry_run, reason, context.request_id
        sender = Sender(
            caller.subject, context.request_id, reason, file.name, file.sha256.hex(), caller.name, caller.post
        )
        self.entry = ImportEntry(self.services.store, kind, sender, dry_run=dry_run) if listed or not dry_run else None
        self.upload: Upload | None = None
        self._keep = keep
        self._begun = False
        today = self.services.store.now().astimezone(PROVINCE_TIME).date()
        self.job = Importing(caller, self.services.allowed, RULES, today, reason)

    async def run(self) -> Outcome:
        """Run the import. Raises ProblemError; then nothing is stored."""
        began = time.monotonic()
        await self.begin()
        try:
            async with self.run_alone():
                with rarely_collected():
                    outcome = await self._run()
            if not self.dry_run and outcome.counts["rows"] >= COUNTED_ANEW:
                await self._refresh_statistics()
        except ProblemError as error:
            self.services.metrics.imports.labels(self.kind, "refused").inc()
            log.info("import_refused", kind=self.kind, request_id=self.request_id, code=error.problem.code)
            if self.entry is not None:
                await self.entry.failed(error)
            raise
        except asyncio.CancelledError:
            if self.entry is not None:
                await asyncio.shield(self.entry.failed(None))
            raise
        finally:
            give_memory_back()
        self._count(outcome, time.monotonic() - began)
        return outcome

    async def _refresh_statistics(self) -> None:
        """Refresh the database's statistics. Raises nothing: the rows are stored, also when this fails."""
        with suppress(ProblemError):
            async with self.services.store.read_transaction() as session:
                await refresh_statistics(session, {*(noun.table for noun in self.nouns), Delivery})

    async def begin(self, beside: AlsoWritten | None = None) -> None:
        """Enter the import into the list; `beside` writes in the same transaction."""
        if self.entry is not None and not self._begun:
            self._begun = True
            await self.entry.begin(beside)

    async def run_in_background(self, held: ExitStack) -> None:
        """As `run`, and close `held`; what is wrong is in the list of imports."""
        with held, suppress(ProblemError):
            await self.run()

    def run_alone(self) -> AbstractAsyncContextManager[None]:
        """Wait in the queue of imports. Raises ProblemError 409 when it is stopped meanwhile."""
        return self.services.imports.run_alone(lambda: self._report(Phase.READING, 0))

    async def _run(self) -> Outcome:
        upload = self.upload = await read_upload(self.file.body, self.nouns)
        check(upload)
        rows = sum(len(table.rows) for table in upload.tables)
        await self._report(Phase.CHECKING, rows)
        if self.dry_run:
            return await self._try(upload)
        await self._report(Phase.STORING, rows)
        if [table.columns.noun for table in upload.tables] == ["camera"]:
            return await self._store_cameras(upload)
        return await self._beside_others(upload)

    async def _try(self, upload: Upload) -> Outcome:
        # Of cameras the comparison finds what their rules refuse.
        by_rules = [table.columns.noun for table in upload.tables] != ["camera"]
        few = by_rules and sum(len(table.rows) for table in upload.tables) <= MOST_TRIED
        brought = brought_by(upload.tables)
        plans = [await self._plan(table, brought, stored=False) for table in upload.tables]
        outcome = self._outcome(plans)
        if few and (upload.mistakes or outcome.counts["created"] or outcome.counts["updated"]):
            await self._try_rules()
        check(upload)
        if self.entry is not None:
            async with self.services.store.read_transaction() as session:
                await self.entry.done(session, outcome.counts, {"rows": outcome.rows})
        return outcome

    async def _try_rules(self) -> None:
        """Store it by the rules of the routes, and undo it: what they refuse shows, and no writer is held up."""
        upload = self.upload = await read_upload(self.file.body, self.nouns)
        with suppress(_TriedError):
            async with self.services.store.long_write_transaction(self._actor()) as transaction:
                await self._write(transaction, upload)
                raise _TriedError

    async def _store_cameras(self, upload: Upload) -> Outcome:
        """Of cameras the write compares at its end what it rests on."""
        (table,) = upload.tables
        async with self.services.store.read_transaction() as session:
            instant = await settled_instant(session)
        plan = await self._plan(table, brought_by(upload.tables), stored=True)
        check(upload)
        outcome, compared = self._outcome([plan]), Compared.of(plan, instant)
        async with self.services.store.long_write_transaction(self._actor()) as transaction:
            await self._store(self._write_in(transaction), plan)
            await transaction.enter_queue()
            mistakes = Mistakes(table.sheet or None)
            await find_same_meanwhile(transaction, compared, mistakes)
            upload.add_mistakes(mistakes)
            check(upload)
            await self._done(transaction, outcome)
        return outcome

    async def _beside_others(self, upload: Upload) -> Outcome:
        """Store while others write; if they have written what it rests on, once more while they wait."""
        store, nouns = self.services.store, related(table.columns.noun for table in upload.tables)
        try:
            async with store.long_write_transaction(self._actor()) as transaction:
                outcome = await self._write(transaction, upload)
                await transaction.enter_queue(nouns)
                await self._done(transaction, outcome)
        except OvertakenError:
            upload = self.upload = await read_upload(self.file.body, self.nouns)
            async with store.write_transaction(self._actor()) as transaction:
                outcome = await self._write(transaction, upload)
                await self._done(transaction, outcome)
        return outcome

    async def _write(self, transaction: WriteTransaction, upload: Upload) -> Outcome:
        """Later sheets refer to what earlier ones bring, so each is compared after the one before it.

        Facilities become active at the end: their focal points stand in a later sheet. After a mistake the rows that
        are right are tried all the same, so that all mistakes show; of cameras the comparison finds them.
        """
        writing = self._write_in(transaction)
        plans: list[Plan] = []
        opened: list[Plan] = []
        brought = brought_by(upload.tables)
        for table in upload.tables:
            mistakes = Mistakes(table.sheet or None)
            noun = next(each for each in self.nouns if each.name == table.columns.noun)
            plan = await plan_table(transaction.session, noun, table, self.job, mistakes, brought, stored=True)
            upload.add_mistakes(mistakes)
            plans.append(plan)
            if noun.name == "facility" and len(upload.tables) > 1:
                opened += plan.split_off(opens_a_facility)
            await self._store(writing, plan)
        for plan in opened:
            await self._store(writing, plan)
        check(upload)
        assert not any(plan.skipped for plan in (*plans, *opened))
        return self._outcome(plans)

    async def _plan(self, table: Table, brought: Brought, *, stored: bool) -> Plan:
        assert self.upload is not None
        mistakes = Mistakes(table.sheet or None)
        noun = next(each for each in self.nouns if each.name == table.columns.noun)
        async with self.services.store.read_transaction(self.caller.sight) as session:
            plan = await plan_table(session, noun, table, self.job, mistakes, brought, stored=stored)
        self.upload.add_mistakes(mistakes)
        return plan

    async def _store(self, writing: Write, plan: Plan) -> None:
        assert self.upload is not None
        if self.upload.mistakes and plan.noun.name == "camera":
            return
        mistakes = Mistakes(plan.table.sheet or None)
        try:
            await store_plan(writing, plan, RULES, mistakes)
        finally:
            self.upload.add_mistakes(mistakes)

    async def _done(self, transaction: WriteTransaction, outcome: Outcome) -> None:
        await transaction.finish()
        if self.entry is not None:
            await self.entry.done(transaction.session, outcome.counts)
        if self._keep is not None:
            await self._keep(transaction.session, outcome)

    def _write_in(self, transaction: WriteTransaction) -> Write:
        return Write(transaction, self.caller, self.services.sealer, self.services.allowed)

    def _actor(self) -> Actor:
        request = self.request_id if self.entry is None else str(self.entry.id)
        return replace(actor_of(self.caller, request, self.reason), roles=frozenset())

    async def _report(self, phase: Phase, rows: int) -> None:
        if self.entry is not None:
            await self.entry.report(phase, rows)

    def _outcome(self, plans: Sequence[Plan]) -> Outcome:
        counts = {action.value: sum(plan.counts[action] for plan in plans) for action in Action}
        counts["rows"] = sum(counts.values())
        rows: list[dict[str, Any]] = []
        for plan in plans if self.dry_run else ():
            rows += difference(plan, SHOWN_ROWS - len(rows), people=self.caller.sight.people)
        return Outcome(self.entry.id if self.entry is not None else None, self.kind, self.dry_run, counts, rows)

    def _count(self, outcome: Outcome, took_s: float) -> None:
        metrics = self.services.metrics
        counts = {name: count for name, count in outcome.counts.items() if name != "rows"}
        metrics.imports.labels(self.kind, "dry_run" if self.dry_run else "done").inc()
        metrics.import_duration.labels(self.kind).observe(took_s)
        if not self.dry_run:
            for result, count in counts.items():
                metrics.import_rows.labels(self.kind, result).inc(count)
        log.info(
            "import_done",
            kind=self.kind,
            request_id=self.request_id,
            dry_run=self.dry_run,
            took_s=round(took_s, 3),
            **counts,
        )
