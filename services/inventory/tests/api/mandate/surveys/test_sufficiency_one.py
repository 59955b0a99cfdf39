"""Sufficiency is one figure: what an approved survey found stands in minutes, register and messages alike (R07)."""

import io
from functools import partial
from typing import Any

import docx

from inventory.domain.places.areas import REQUIRED_AREAS
from vonggac.testing import eventually

FOUND = {"gate": 3, "yard": None}
"""Uncovered areas, with the number of cameras that the survey named."""


def form_of(field: Any, uncovered: dict[str, int | None], **more: Any) -> dict[str, Any]:
    form: dict[str, Any] = field.findings()["form"]
    areas = [
        {"area": area, "coverage": "not_covered", "cameras_needed": uncovered[area], "blind_spots": "Góc khuất"}
        if area in uncovered
        else {"area": area, "coverage": "covered", "camera_codes": ["QT-01-C01"]}
        for area in REQUIRED_AREAS
    ]
    return form | {"areas": areas} | more


async def sufficiency(field: Any, **query: str) -> dict[str, Any]:
    answer = await field.client.get(f"/v1/facilities/{field.facility['id']}/sufficiency", params=query)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def minutes(field: Any, survey: dict[str, Any]) -> str:
    answer = await field.client.get(f"/v1/surveys/{survey['id']}/minutes.docx")
    assert answer.status_code == 200, answer.text
    document = docx.Document(io.BytesIO(answer.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in document.paragraphs), *cells])


async def test_sufficiency_one_figure_in_minutes_register_and_messages(field: Any, last_message: Any) -> None:
    await field.prepare()
    before = await sufficiency(field)
    assert (before["sufficient"], before["cameras_needed"], len(before["unassessed"])) == (None, 0, 9)
    survey = await field.survey_approved(form=form_of(field, FOUND))
    found = await sufficiency(field)
    assert (found["sufficient"], found["cameras_needed"]) == (False, 4)
    assert (sorted(found["missing"]), found["unassessed"]) == (["gate", "yard"], [])
    text = await minutes(field, survey)
    assert "Camera giám sát các khu vực: thiếu; chưa có camera: " in text
    assert "cần bổ sung 4 camera." in text

    async def approved() -> Any:
        message = await last_message("survey", survey["id"])
        assert message.status == "approved"
        return message

    message = await eventually(approved)
    assert (message.cameras_needed, sorted(message.uncovered_areas)) == (4, ["gate", "yard"])
    rows = (await field.client.get("/v1/coverages", params={"facility_id": field.facility["id"]})).json()["items"]
    assert sum(row["cameras_needed"] for row in rows) == 4
    published = [await eventually(partial(last_message, "coverage", row["id"])) for row in rows]
    assert sum(one.cameras_needed for one in published) == 4
    assert (await sufficiency(field, as_of=survey["changed_at"]))["cameras_needed"] == 4


async def test_sufficiency_one_newest_word_about_an_area_stands(field: Any) -> None:
    """A person's later verdict, then a further survey."""
    await field.prepare()
    await field.survey_approved(form=form_of(field, FOUND))
    rows = (await field.client.get("/v1/coverages", params={"facility_id": field.facility["id"]})).json()["items"]
    (gate,) = (row for row in rows if row["area"] == "gate")
    await field.change(f"/v1/coverages/{gate['id']}", {"cameras_needed": 1})
    assert (await sufficiency(field))["cameras_needed"] == 2
    again = await field.survey_in_progress(code="KS-02")
    await field.change(f"/v1/surveys/{again['id']}", field.findings(form=form_of(field, {"corridor": 5})))
    await field.move(f"/v1/surveys/{again['id']}", "submitted")
    assert (await sufficiency(field))["cameras_needed"] == 2
    approved = await field.move(f"/v1/surveys/{again['id']}", "approved")
    assert (await sufficiency(field))["cameras_needed"] == 5
    assert "cần bổ sung 5 camera." in await minutes(field, approved)


async def test_sufficiency_one_verdict_loses_its_camera(field: Any) -> None:
    """A covered area is covered before its camera is in the register, and no longer once that camera is gone."""
    await field.prepare()
    await field.survey_approved(form=form_of(field, {}))
    assert (await sufficiency(field))["sufficient"] is True
    camera = await field.province.camera(facility_id=field.facility["id"], area="gate")
    assert (await sufficiency(field))["sufficient"] is True
    await field.province.remove(f"/v1/cameras/{camera['id']}")
    gone = await sufficiency(field)
    assert (gone["sufficient"], gone["missing"], gone["cameras_needed"]) == (False, ["gate"], 1)
    assert (await sufficiency(field, as_of=camera["changed_at"]))["sufficient"] is True


async def test_sufficiency_one_other_public_areas_count_together(field: Any) -> None:
    await field.prepare()
    form = form_of(field, {})
    others = [
        {"area": "other_public", "coverage": "not_covered", "cameras_needed": 2},
        {"area": "other_public", "coverage": "not_covered", "cameras_needed": 1},
        {"area": "other_public", "coverage": "covered", "camera_codes": ["QT-01-C01"]},
    ]
    survey = await field.survey_approved(form=form | {"areas": [*form["areas"], *others]})
    found = await sufficiency(field)
    assert (found["missing"], found["cameras_needed"]) == (["other_public"], 3)
    assert "cần bổ sung 3 camera." in await minutes(field, survey)
