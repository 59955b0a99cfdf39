"""The file of a request, from its body or from a form."""

import asyncio
import hashlib
import io
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from fastapi import Request
from starlette.datastructures import UploadFile

from inventory.api.context import RequestContext
from inventory.api.files.waiting import FileBytes
from inventory.storage.conflicts import invalid
from vonggac.http import ProblemError

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
TAKEN = frozenset(
    {
        CSV,
        XLSX,
        "text/plain",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/zip",
    }
)
_EXTENDED_NAME = re.compile(r"filename\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """A file and what its sender calls it."""

    body: bytes
    name: str | None
    sha256: bytes


async def receive_file(context: RequestContext, held: FileBytes) -> Received:
    """Receive the file, whose bytes `held` counts as they come. Raises ProblemError 413, 415, 422 or 429."""
    request, most = context.request, context.services.import_max_bytes
    stated = int(request.headers.get("content-length") or 0)
    if stated > most:
        raise _too_large(most)
    held.expect(stated)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form_file(request, most, held)
    if kind not in TAKEN:
        msg = "send the file as text/csv or XLSX, or as the field `file` of multipart/form-data"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", msg)
    # Its value is what was written, no copy of it.
    body, digest = io.BytesIO(), hashlib.sha256()
    async for piece in request.stream():
        body.write(piece)
        # Of all at once it would hold the event loop up.
        digest.update(piece)
        if body.tell() > most:
            raise _too_large(most)
        held.grow(len(piece))
    return Received(
        body.getvalue(), _plain(_parse_file_name(request.headers.get("content-disposition", ""))), digest.digest()
    )


def _parse_file_name(disposition: str) -> str:
    """Parse the name in either form of RFC 6266; `filename*` goes first, as in the answers of ours."""
    extended = _EXTENDED_NAME.search(disposition)
    return extended[1] if extended is not None else disposition.partition("filename=")[2].strip('" ')


async def _form_file(request: Request, most: int, held: FileBytes) -> Received:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("file", "is missing: send the file as the form field `file`")
        # It lies on the disk until here.
        held.grow(min(file.size or 0, most))
        body = await file.read(most + 1)
        name = file.filename or ""
    if len(body) > most:
        raise _too_large(most)
    digest = await asyncio.to_thread(hashlib.sha256, body)
    return Received(body, _plain(name), digest.digest())


def _plain(name: str) -> str | None:
    """Return the last part of a file's name, printable; None when nothing is left."""
    last = unquote(name).replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:120] or None


def _too_large(most: int) -> ProblemError:
    msg = f"the file is larger than {most} bytes: split it"
    return ProblemError(HTTPStatus(413), "too_large", msg)
