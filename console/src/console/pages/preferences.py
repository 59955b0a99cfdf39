"""The language of the pages, and what browsers report of our policy."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from console.sign_in.cookies import Cookies
from console.sign_in.required import own_path
from console.words.catalogue import choose_language
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = APIRouter()

KEPT_S = 365 * 86_400.0


@router.get("/language/{language}")
async def choose(request: Request, language: str, to: Annotated[str | None, Query()] = None) -> Response:
    """Show this browser the pages in a language from now on; back to the page where that was asked."""
    cookies: Cookies = request.app.state.cookies
    response = RedirectResponse(own_path(to), status_code=303)
    cookies.write(response, cookies.language, choose_language(language), within_s=KEPT_S)
    return response


@router.post("/policy-reports")
async def count_policy_report(request: Request) -> Response:
    """Count that a browser refused to run something on our page: either a mistake of ours or an attack."""
    body = (await request.body())[:500].decode("utf-8", "replace")
    request.app.state.metrics.policy_reports.inc()
    log.warning("policy_report", bytes=len(body))
    return Response(status_code=204)
