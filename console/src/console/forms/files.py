"""`/files/{service}/…`: files of the services, for who may have them; each kind of file stands in `KNOWN`."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from console.apis.caller import Caller
from console.drawing.page import render
from console.sign_in.required import SignedIn

router = APIRouter()

_ID = r"[0-9a-f-]{36}"
KNOWN = {
    "reporting": re.compile(
        rf"/v1/(reports/{_ID}\.(json|csv|xlsx|docx|pdf)|reports/{_ID}/contacts\.docx|urges/{_ID}/letter\.docx"
        rf"|issued-papers/{_ID}/file)"
    ),
    "inventory": re.compile(
        rf"/v1/(surveys/{_ID}/(minutes|status-report)\.docx|connection-plans/{_ID}/plan\.docx"
        rf"|installation-proposals/{_ID}/submission\.docx|directives/{_ID}/scan|surveys/{_ID}/attachments/[0-9a-f]{{64}}"
        r"|exports/[a-z-]{1,40}\.(csv|xlsx)|templates/[a-z-]{1,40}\.xlsx)"
    ),
}
_HANDED_ON = ("content-type", "content-disposition", "content-length", "etag")
_QUERY = ("version",)


@router.get("/files/{service}/{path:path}")
async def download(request: Request, service: str, path: str, visitor: SignedIn) -> Response:
    """Send a file on as its service gives it, in pieces; a refusal is shown as a page."""
    known = KNOWN.get(service)
    if known is None or not known.fullmatch("/" + path):
        raise HTTPException(404)
    caller: Caller = request.app.state.callers[service]
    query = {name: value for name in _QUERY if (value := request.query_params.get(name))}
    opened = AsyncExitStack()
    try:
        answer = await opened.enter_async_context(caller.download(visitor.token, "/" + path, query))
    except httpx.HTTPError:
        await opened.aclose()
        return render(request, "register/no_file.html", status=503, detail="")
    if answer.status_code != httpx.codes.OK:
        detail = await _detail_of(answer)
        await opened.aclose()
        return render(request, "register/no_file.html", status=answer.status_code, detail=detail)

    async def pieces() -> AsyncIterator[bytes]:
        async with opened:
            async for piece in answer.aiter_raw():
                yield piece

    headers = {name: answer.headers[name] for name in _HANDED_ON if name in answer.headers}
    if "content-encoding" in answer.headers:
        headers["content-encoding"] = answer.headers["content-encoding"]
    headers.setdefault("content-disposition", "attachment")
    return StreamingResponse(pieces(), headers=headers)


async def _detail_of(answer: httpx.Response) -> str:
    await answer.aread()
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("detail_vi") or body.get("detail") or "") if isinstance(body, dict) else ""
