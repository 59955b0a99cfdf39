"""`/survey/sheets`: what a phone takes along: the form, and the surveys that its person may be sent to."""

import asyncio
import hashlib
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from console.acts.contracts import Contract, Contracts
from console.acts.fields import Field, fields_of
from console.acts.inputs import ids_in, write_record
from console.acts.lookup import Lookup
from console.acts.nouns import REFERRED, name_record
from console.acts.permitted import may_call
from console.apis.caller import Answer, Caller, Found, Refused
from console.sign_in.required import SignedIn
from console.sign_in.visitor import Visitor
from console.survey.description import ATTACHMENTS, describe_fields, nouns_in
from console.words import catalogue

router = APIRouter()

OPERATION = "put_survey_submission"
METHOD, PATH = "PUT", "/v1/surveys/{thing_id}/submissions/{submission_id}"
TAKEN_ALONG = ("in_progress", "returned", "scheduled")
"""States of surveys whose team is at the site, or goes there."""
MOST = 50
_CALLS_AT_ONCE = 8


@router.get("/survey/sheets")
async def list_sheets(request: Request, visitor: SignedIn) -> Response:
    """List the form in both languages and the person's surveys, those that were returned with what stood in them."""
    if not may_call(visitor.caller, "inventory", METHOD, PATH):
        return JSONResponse({"not_yours": True}, status_code=403)
    contract = await find_contract(request, visitor)
    if not isinstance(contract, Contract):
        return refuse(contract)
    fields = findings_fields(contract)
    inventory: Caller = request.app.state.callers["inventory"]
    lookup = Lookup(inventory, visitor.token)
    answers = [await _list(inventory, visitor.token, status) for status in TAKEN_ALONG]
    if (refused := next((each for each in answers if not isinstance(each, Found)), None)) is not None:
        return refuse(refused)
    surveys = [one for each in answers if isinstance(each, Found) for one in each.body["items"]][:MOST]
    facilities = await _read_facilities(inventory, visitor.token, {one["facility_id"] for one in surveys})
    codes = await lookup.name_ids(reference for one in surveys for reference in ids_in(fields, one))
    described = {
        language: describe_fields(fields, language, catalogue.translations(language))
        for language in catalogue.LANGUAGES
    }
    body = {
        "owner": owner_of(visitor),
        "name": visitor.name,
        "fields": described,
        "options": await lookup.list_options(nouns_in(fields)),
        "sheets": [_sheet(one, facilities.get(one["facility_id"], {}), fields, codes) for one in surveys],
    }
    return JSONResponse(body)


def _sheet(
    survey: dict[str, Any], facility: dict[str, Any], fields: list[Field], codes: dict[str, str]
) -> dict[str, Any]:
    typed = write_record(fields, survey, codes)
    return {
        "id": survey["id"],
        "code": survey["code"],
        "facility": name_record(facility) if facility else "",
        "restricted": bool(facility.get("restricted", True)),
        "status": survey["status"],
        "typed": {name: values for name, values in typed.items() if any(values)},
        "photos": [{"sha256": one["sha256"], "name": one["name"]} for one in survey.get(ATTACHMENTS) or ()],
    }


async def _list(inventory: Caller, token: str, status: str) -> Answer:
    return await inventory.get(token, "/v1/surveys", {"status": status, "limit": MOST})


async def _read_facilities(inventory: Caller, token: str, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Those that the person sees, by their ids."""
    room = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def read(one: str) -> Answer:
        async with room:
            return await inventory.get(token, f"/v1/facilities/{one}")

    wanted = sorted(ids)
    answers = await asyncio.gather(*(read(one) for one in wanted))
    return {one: answer.body for one, answer in zip(wanted, answers, strict=True) if isinstance(answer, Found)}


async def find_contract(request: Request, visitor: Visitor) -> Contract | Answer:
    """Inventory's; it has the operation, or it is of a release that has no surveys."""
    contracts: Contracts = request.app.state.contracts
    return await contracts.find("inventory", visitor.token)


def findings_fields(contract: Contract) -> list[Field]:
    """Of what a team sends, as inventory describes it."""
    return fields_of(contract.operations[OPERATION].body, contract.schemas, REFERRED)


def owner_of(visitor: Visitor) -> str:
    """Whose a phone's entries are: nothing is sent under another person's name."""
    return hashlib.sha256(f"vonggac survey\0{visitor.subject}".encode()).hexdigest()[:32]


def refuse(answer: Answer) -> Response:
    """401 where the service does not take the token, 503 where it does not answer: both are asked again later."""
    if isinstance(answer, Refused) and answer.status == 401:
        return JSONResponse({"signed_out": True}, status_code=401)
    return JSONResponse({"away": True}, status_code=503)
