"""/v1/templates: empty workbooks to fill in."""

from fastapi import Response

from inventory.api.context import Context
from inventory.api.files.exports import page_of, workbook_answer
from inventory.api.files.received import XLSX
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1/templates", tags=["templates"])


def _add_template(noun: Noun) -> None:
    async def read_template(context: Context) -> Response:
        async with context.read_transaction() as session:
            page = await page_of(session, noun, context, filled=False)
        return await workbook_answer([page], f"{noun.path}.xlsx")

    read_template.__name__ = f"read_template_of_{noun.path.replace('-', '_')}"
    read_template.__doc__ = (
        "Vietnamese headings, required ones coloured, drop-down lists, text cells where a leading zero matters, "
        "a hidden row of technical names."
    )
    router.get(
        f"/{noun.path}.xlsx",
        summary=f"Template of {noun.path.replace('-', ' ')}",
        response_class=Response,
        responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
    )(read_template)


for _noun in NOUNS:
    _add_template(_noun)
