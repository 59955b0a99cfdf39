"""Disconnections while surveys are sent from a phone: nothing is lost, nothing is doubled.

A run of all pages cuts fifteen times and sends one survey; `VONGGAC_EVERY_CASE=1` cuts a hundred times and sends four.
"""

import asyncio
import random

import pytest
from console.tests.browser.survey.conftest import Cut, Phone
from console.tests.survey.conftest import Sites
from sqlalchemy import NullPool, create_engine, text
from tests.unit.day import is_every_case

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]
CUTS, SURVEYS, PHOTOS = (100, 4, 8) if is_every_case() else (15, 1, 5)
BATTERIES = 4
THROUGH = 0.1
"""Share of what gets through: of 36 requests some wait still after a hundred cuts, of six after fifteen."""


async def test_cuts_lose_nothing_and_double_nothing(phone: Phone, sites: Sites, register_url: str) -> None:
    surveys = [await sites.survey(f"KS-{number:02d}") for number in range(1, SURVEYS + 1)]
    await phone.take_along()
    await phone.context.set_offline(True)
    for survey in surveys:
        await phone.fill_in(survey["code"], photos=PHOTOS)
        await phone.submit()
    await phone.page.get_by_text(f"{SURVEYS} chờ gửi").wait_for()
    dice, line = random.Random(1742), phone.outpost.line  # repeatable

    def decide() -> Cut | None:
        """Lose a part of the request, or its answer after it has arrived; seldom let one through."""
        if dice.random() < THROUGH:
            return None
        return Cut("request", dice.randrange(2000)) if dice.random() < 0.5 else Cut("answer", dice.randrange(200))

    line.decide = decide
    for period in range(1, CUTS + 1):
        line.was_cut.clear()
        await phone.context.set_offline(False)
        await asyncio.wait_for(line.was_cut.wait(), 60)
        await phone.context.set_offline(True)
        if period % (CUTS // BATTERIES) == 0:
            # The phone's battery is empty: the page begins anew.
            await phone.page.reload()
            await phone.page.get_by_text("chờ gửi").first.wait_for()
    line.decide = lambda: None
    assert line.cuts >= CUTS
    await phone.context.set_offline(False)
    await phone.page.get_by_text("Không có gì chờ gửi.").wait_for()
    engine = create_engine(register_url, poolclass=NullPool)
    for survey in surveys:
        found = await sites.read(survey["id"])
        assert (found["status"], found["form"]["site"]["rooms"], len(found["participants"])) == ("submitted", 24, 3)
        history = (await sites.read(survey["id"], "/history?limit=100"))["items"]
        assert sum(each["after"]["status"] == "submitted" for each in history) == 1
        with engine.begin() as connection:
            counts = [
                connection.scalar(text(f"select count(*) from {table} where survey_id = :id"), {"id": survey["id"]})  # noqa: S608 # names of the test
                for table in ("survey_submissions", "survey_contents")
            ]
        assert counts == [1, PHOTOS]
    engine.dispose()
