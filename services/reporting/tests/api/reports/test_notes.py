"""What a frozen report says of its evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.stage.freezing import DAY, frozen
from services.reporting.tests.tables.sample import clock_set_back

from reporting.documents.letter.blocks import Text
from reporting.documents.letter.content import paper
from reporting.documents.render import FORMS
from reporting.documents.verifying.verify import verify
from reporting.domain.instants import millis
from reporting.reports.snapshot.report import parsed
from reporting.storage.upkeep.tables import clock_step

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from vonggac.database import Database

pytestmark = pytest.mark.usefixtures("feeding")


async def test_a_clock_that_was_set_back_is_named_in_every_form_of_a_frozen_report(
    client: Client, fed: Province, database: Database
) -> None:
    step = clock_set_back(DAY + timedelta(hours=9))
    async with database.transaction() as session:
        await session.execute(clock_step.insert().values(**step))
    report = await frozen(client)
    document = parsed((await client.get(f"/v1/reports/{report['id']}.json")).content)
    (note,) = document.tables["notes"]
    assert (note["note_kind"], note["from_ms"]) == ("clock_step", millis(DAY + timedelta(hours=9, minutes=-2)))
    assert "từ 08:58 ngày" in str(note["text_vi"]), "whole minutes, and the month as papers write it"
    assert any(isinstance(one, Text) and str(note["text_vi"]) in one.text for one in paper(document).body)
    for form in FORMS:
        said = verify((await client.get(f"/v1/reports/{report['id']}.{form}")).content)
        assert said.unaltered, said.differences
