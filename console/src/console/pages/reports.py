"""`/reports`: frozen reports, their versions and files; freezing, approving, comparing and verifying."""

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from console.acts.sent_forms import read_sent
from console.apis.caller import Answer, Found, Refused
from console.pages.parts import Filters, body_of, filters_of, page, reporting_of
from console.sign_in.required import SignedIn
from console.words.catalogue import mark

router = APIRouter()

FORMS = {
    "pdf": mark("PDF, to sign"),
    "docx": mark("Word"),
    "xlsx": mark("Excel"),
    "csv": mark("CSV"),
    "json": mark("JSON"),
}


"""Of a form with a file."""


@router.get("/reports")
async def list_reports(request: Request, visitor: SignedIn) -> Response:
    """Every frozen report, the newest first, and what waits for approval."""
    reporting, token = reporting_of(request), visitor.token
    filters = filters_of(request, ("q", "cursor"))
    rows, papers, freshness = await asyncio.gather(
        reporting.caller.get(token, "/v1/reports", {**filters, "limit": 50, "total": "true"}),
        reporting.caller.get(token, "/v1/issued-papers", {"limit": 50}),
        reporting.read_freshness(token),
    )
    return page(
        request,
        "pages/reports.html",
        answers=[rows, papers],
        freshness=freshness,
        filters=filters,
        rows=body_of(rows),
        papers=body_of(papers),
    )


@router.get("/reports/verify")
async def ask_for_file(request: Request, visitor: SignedIn) -> Response:
    """Show the form that takes a file."""
    return await _show_verdict(request, visitor.token, None)


@router.post("/reports/verify")
async def verify(request: Request, visitor: SignedIn) -> Response:
    """Whether a file is a frozen report, unaltered."""
    content = read_sent(request.headers.get("content-type", ""), await request.body()).content
    if not content:
        raise HTTPException(400)
    answer = await reporting_of(request).caller.send(
        visitor.token,
        "POST",
        "/v1/reports/verify",
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    return await _show_verdict(request, visitor.token, answer)


async def _show_verdict(request: Request, token: str, answer: Answer | None) -> Response:
    freshness = await reporting_of(request).read_freshness(token)
    status = answer.status if isinstance(answer, Refused) else 200
    return page(
        request,
        "pages/verify.html",
        answers=[freshness, *([answer] if answer is not None else [])],
        freshness=freshness,
        status=status,
        filters=Filters(),
        verdict=body_of(answer) if answer is not None else None,
    )


@router.get("/reports/{report}")
async def show_report(request: Request, report: str, visitor: SignedIn) -> Response:
    """One report in one version: its files, its approval, what was changed since the version before."""
    reporting, token = reporting_of(request), visitor.token
    filters = filters_of(request, ("version",))
    query = {"version": filters["version"]} if filters.get("version") else None
    found, difference, freshness = await asyncio.gather(
        reporting.caller.get(token, f"/v1/reports/{report}", query),
        reporting.caller.get(token, f"/v1/reports/{report}/difference"),
        reporting.read_freshness(token),
    )
    status = 404 if isinstance(found, Refused) and found.status in {404, 422} else 200
    # Of one version there is no difference, and no part of the page is missing for it.
    answers = [found, *([difference] if not isinstance(difference, Refused) else [])]
    return page(
        request,
        "pages/report.html",
        answers=answers,
        freshness=freshness,
        status=status,
        filters=filters,
        report=report,
        forms=FORMS,
        found=body_of(found),
        difference=difference.body if isinstance(difference, Found) else None,
    )
