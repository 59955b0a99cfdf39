"""/v1/imports: files of any noun, and workbooks of several, all rows or none; listed, stopped, taken back."""

from contextlib import ExitStack
from datetime import datetime
from http import HTTPStatus
from operator import attrgetter
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context, Reason, RepeatableContext, RequestContext, WriteContext
from inventory.api.files.answers import ImportDone, ImportResponse, RowChange, TakenBackResponse
from inventory.api.files.marked import marked_answer
from inventory.api.files.received import CSV, XLSX, receive_file
from inventory.api.files.repetition import Repetition, respond
from inventory.api.files.running import Outcome, Run
from inventory.api.named import name_actors, name_actors_of
from inventory.api.nouns.rules import patch_thing, remove_thing
from inventory.importing.derived import columns_of
from inventory.importing.storing.effects import Effect
from inventory.importing.storing.import_list import State, state_of
from inventory.importing.storing.reverting import BackRules, lock_effects, take_back
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS
from inventory.nouns.writer import Write
from inventory.storage.change_log import actor_of
from inventory.storage.conflicts import not_found
from inventory.storage.tables import ImportRow
from vonggac.auth import Caller, Principal, Right, guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.protection.leaving import run_while_connected
from vonggac.telemetry.garbage_collection import give_memory_back, rarely_collected

router = guarded_router(prefix="/v1/imports", tags=["imports"])
WORKBOOK = "workbook"

_DRY_RUN = (
    "Check, answer with the difference, store nothing. Rules between records are tried of up to 1,000 rows, and of any "
    "number of cameras; of more they are left to the import."
)
DryRun = Annotated[bool, Query(description=_DRY_RUN)]
Answer = Annotated[
    Literal["problem", "file"],
    Query(description="`file`: mistakes come back in the same file, beside their rows; secrets are hidden."),
]
Prefer = Annotated[str | None, Header(description="`respond-async`: 202 at once; see `/v1/imports/{id}`.")]
_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_FORM = "multipart/form-data"
_OF_FORM: dict[str, Any] = {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        "model": ImportResponse,
        "description": "With `respond-async`: it goes on in the background",
        "headers": {"Location": {"description": "The import, to see how far it is.", "schema": {"type": "string"}}},
    },
    **problems(
        {
            409: "It was stopped, or contradicts what is on record, or the first request with this key is in progress",
            413: "The file is too large",
            415: "The body is neither CSV nor XLSX nor a form with the file",
            429: "Imports that wait or run hold too many bytes: send it again after Retry-After",
        }
    ),
    422: {
        "description": "`errors` names every mistake of the file; with `answer=file` they come in the file itself",
        "content": {CSV: {"schema": {"type": "string"}, "example": ""}, XLSX: {"schema": _FILE, "example": ""}},
    },
}


IMPORTS = Listing[ImportRow, ImportResponse](
    ImportResponse,
    keys={
        "began_at": Key(attrgetter("began_at"), datetime),
        "kind": Key(attrgetter("kind")),
        "sent_by": Key(attrgetter("sent_by")),
        "id": Key(attrgetter("id"), UUID),
    },
    id_key="id",
    default_sort="-began_at",
)
type ImportPage = PageQuery[ImportRow, ImportResponse]


@router.get("", summary="List imports", responses=IMPORTS.responses, response_model=None)
async def list_imports(
    context: Context,
    page: Annotated[ImportPage, Depends(IMPORTS)],
    kind: str | None = None,
    sent_by: str | None = None,
) -> Response:
    """List newest first. All filters must match."""
    equal = {ImportRow.kind: kind, ImportRow.sent_by: sent_by}
    query = select(ImportRow).where(*(column == value for column, value in equal.items() if value is not None))
    if not _sees_all(context.caller):
        query = query.where(ImportRow.sent_by == context.caller.subject)
    async with context.read_transaction() as session:
        ordered = keyset_page(query, dict(ImportRow.__table__.c), page.orderings, page.last, page.limit)
        rows = (await session.scalars(ordered)).all()
        counted = select(func.count()).select_from(query.subquery())
        total = await session.scalar(counted) if page.wants_total else None
        found = page.page(rows, total=total)
        return page.answer(found, await name_actors(session, [_to_response(context, row) for row in found.rows]))


@router.get("/{import_id}", summary="Read an import")
async def read_import(import_id: UUID, context: Context) -> ImportResponse:
    """How far it is, what it did, or why it was refused."""
    async with context.read_transaction() as session:
        return await name_actors_of(session, _to_response(context, await _row(context, session, import_id)))


@router.post(
    "/{import_id}/stop",
    summary="Stop a running import",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems({409: "It is not running"}),
)
async def stop_import(import_id: UUID, context: Context) -> ImportResponse:
    """Before it begins to store; nothing of it is stored then. One that is done can be taken back, 409 says so."""
    async with context.read_transaction() as session:
        row = await _row(context, session, import_id)
        if (state := state_of(row, context.services.store.now())) is not State.RUNNING:
            more = ": it can be taken back" if state is State.DONE and not row.dry_run else ""
            raise ProblemError(HTTPStatus.CONFLICT, "not_running", f"the import is {state}, not running{more}")
        await session.execute(update(ImportRow).where(ImportRow.id == import_id).values(stop_wanted=True))
        return await name_actors_of(session, _to_response(context, row))


@router.post(
    "/{import_id}/revert",
    summary="Take an import back",
    response_model=TakenBackResponse,
    responses=problems({409: "It is not done, or was taken back already"}),
)
async def revert_import(import_id: UUID, context: WriteContext, caller: Caller, reason: Reason = None) -> Response:
    """Return records that nobody touched since to what they were; name the others, which stay. 409 a second time."""
    repetition = Repetition.of(context)
    if repetition is not None and (answer := await repetition.answer()) is not None:
        return answer
    why = reason or f"import {import_id} is taken back"
    try:
        with rarely_collected():
            kept = await _revert(import_id, context, caller, why, repetition)
    except ProblemError:
        if repetition is not None and (answer := await repetition.answer()) is not None:
            return answer
        raise
    give_memory_back()
    return respond(context, kept)


async def _revert(
    import_id: UUID, context: RequestContext, caller: Principal, why: str, repetition: Repetition | None
) -> KeptAnswer:
    effects: list[Effect] = []

    async def lock_import(session: AsyncSession) -> None:
        row = await _row(context, session, import_id, held=True)
        if row.state != State.DONE or row.dry_run:
            what = "was a dry run, which stored nothing" if row.dry_run else f"is {row.state}"
            msg = f"the import {what}: only one that is done can be taken back"
            raise ProblemError(HTTPStatus.CONFLICT, "not_done", msg)
        effects.extend(await lock_effects(session, caller, import_id))

    actor = actor_of(caller, context.request_id, why)
    async with context.services.store.long_write_transaction(actor, lock_import) as transaction:
        writing = Write(transaction, caller, context.services.sealer, context.services.allowed)
        result = await take_back(writing, import_id, effects, BackRules(patch_thing, remove_thing))
        row = await _row(context, transaction.session, import_id)
        row.state, row.reverted_at, row.reverted_by = State.REVERTED, transaction.now, caller.subject
        await transaction.finish()
        kept = _kept(TakenBackResponse.model_validate(result))
        if repetition is not None:
            await repetition.keep(transaction.session, kept)
    return kept


def _add_import(noun: Noun) -> None:
    async def import_things(
        context: WriteContext,
        caller: Caller,
        dry_run: DryRun = False,
        answer: Answer = "problem",
        prefer: Prefer = None,
        reason: Reason = None,
    ) -> Any:
        return await _import(context, caller, (noun,), noun.path, dry_run, answer, prefer, reason)

    import_things.__name__ = f"import_{noun.path.replace('-', '_')}"
    import_things.__doc__ = (
        "Known keys are changed, others added. 422 lists every mistake with line, column, value and how to mend it; "
        "then nothing is stored."
    )
    router.post(
        f"/{noun.path}",
        summary=f"Import {noun.path.replace('-', ' ')}",
        response_model=ImportDone,
        responses=_ANSWERS,
        openapi_extra=_body(noun),
    )(import_things)


@router.post(
    f"/{WORKBOOK}",
    summary="Import a workbook of several nouns",
    response_model=ImportDone,
    responses=_ANSWERS,
    openapi_extra={
        "requestBody": {"required": True, "content": {XLSX: {"schema": _FILE}, _FORM: {"schema": _OF_FORM}}}
    },
)
async def import_workbook(
    context: WriteContext,
    caller: Caller,
    dry_run: DryRun = False,
    answer: Answer = "problem",
    prefer: Prefer = None,
    reason: Reason = None,
) -> Any:
    """One sheet per noun, as `/v1/exports/facilities/{id}.xlsx` has them; all sheets or none."""
    return await _import(context, caller, NOUNS, WORKBOOK, dry_run, answer, prefer, reason)


async def _import(
    context: RepeatableContext,
    caller: Principal,
    nouns: tuple[Noun, ...],
    kind: str,
    dry_run: bool,
    answer: str,
    prefer: str | None,
    reason: str | None,
) -> Any:
    with ExitStack() as stack:
        held = context.services.imports.count_file()
        stack.callback(held.release)
        file = await receive_file(context, held)
        later = prefer is not None and "respond-async" in prefer.lower()
        # A dry run has no effect that could be had twice.
        repetition = None if dry_run else Repetition.of(context, file)
        if repetition is not None and (first := await repetition.answer()) is not None:
            return first

        async def keep(session: AsyncSession, outcome: Outcome) -> None:
            if repetition is not None:
                await repetition.keep(session, _kept(_answer(outcome)))

        run = Run(
            context,
            caller,
            nouns,
            kind,
            file,
            dry_run=dry_run,
            reason=reason,
            listed=later,
            keep=None if later else keep,
        )
        try:
            if later:
                return await _begin(context, run, repetition, stack)
            return _answer(await run_while_connected(context.request, run.run()))
        except ProblemError as error:
            # Of two at a time with one key the slower one finds what the faster one has stored.
            if repetition is not None and (first := await repetition.answer()) is not None:
                return first
            marked = answer == "file" and error.problem.code == "import_refused"
            if not marked or run.upload is None or not run.upload.mistakes:
                raise
            async with run.run_alone():
                return await marked_answer(run.upload, file.name)


async def _begin(context: RepeatableContext, run: Run, repetition: Repetition | None, stack: ExitStack) -> Response:
    """Have it go on in the background, which closes `stack`; the 202 is kept with its entry in the list."""
    assert run.entry is not None
    import_id = run.entry.id
    answers: list[KeptAnswer] = []

    async def keep(session: AsyncSession) -> None:
        shown = await name_actors_of(session, _to_response(context, await _row(context, session, import_id)))
        answers.append(_kept(shown, HTTPStatus.ACCEPTED, {"Location": f"/v1/imports/{import_id}"}))
        if repetition is not None:
            await repetition.keep(session, answers[0])

    await run.begin(keep)
    context.request.app.state.imports.start(import_id, run.run_in_background(stack.pop_all()))
    return respond(context, answers[0])


def _kept(shown: BaseModel, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> KeptAnswer:
    return KeptAnswer(status, headers or {}, shown.model_dump_json().encode())


def _answer(outcome: Outcome) -> ImportDone:
    return ImportDone(
        id=outcome.import_id,
        kind=outcome.kind,
        dry_run=outcome.dry_run,
        **outcome.counts,
        difference=[RowChange.model_validate(row) for row in outcome.rows],
    )


def _to_response(context: RequestContext, row: ImportRow) -> ImportResponse:
    shown = ImportResponse.model_validate(row)
    return shown.model_copy(update={"state": state_of(row, context.services.store.now())})


def _sees_all(caller: Principal) -> bool:
    """Whether imports of others are shown: they name rows of everywhere."""
    return caller.may(Right.READ_AUDIT) and caller.sight.is_everything


async def _row(context: RequestContext, session: AsyncSession, import_id: UUID, *, held: bool = False) -> ImportRow:
    row = await session.get(ImportRow, import_id, with_for_update=held)
    if row is None or not (_sees_all(context.caller) or row.sent_by == context.caller.subject):
        raise not_found("import")
    return row


def _body(noun: Noun) -> dict[str, Any]:
    columns = columns_of(noun)
    listed = ", ".join(f"{column.name} («{column.heading}»)" for column in columns.columns)
    text = {"type": "string", "description": f"Columns: {listed}; required: {', '.join(columns.required)}"}
    content = {CSV: {"schema": text}, XLSX: {"schema": _FILE}, _FORM: {"schema": _OF_FORM}}
    return {"requestBody": {"required": True, "content": content}}


for _noun in NOUNS:
    _add_import(_noun)
