"""Codes that differ only in case or leading zeros are one code, on every way in, also at the same time."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import Engine, NullPool, create_engine, text

from inventory.domain.fields import folded_code
from inventory.migrations import SCRIPTS
from inventory.nouns.registry import NOUNS
from inventory.settings import Settings
from vonggac.auth import Role
from vonggac.database import migrate
from vonggac.database.migrations import config

CSV = {"content-type": "text/csv"}
TAKEN = "differs only in case or leading zeros from KCL-01"


async def bodies(province: Any) -> dict[str, dict[str, Any]]:
    """What makes one of every noun with a code, but for the code."""
    unit, agency = await province.unit(), await province.agency(role="lead")
    facility = await province.facility(code="CO-SO", unit_id=unit["id"], managing_agency_id=agency["id"])
    order = {"number": "1/CV", "issued_on": "2021-05-07", "issuer_id": agency["id"], "subject": "x", "code": "CV"}
    directive = await province.post("/v1/directives", order)
    of: dict[str, Any] = {"facility_id": facility["id"]}
    # Whoever owes a duty does not change it: that of another agency.
    owing = await province.agency()
    duty = {"directive_id": directive["id"], "responsible_agency_id": owing["id"], "kind": "connection"}
    return {
        "units": {"name": "Xã"},
        "agencies": {"name": "Sở", "role": "managing"},
        "facilities": {"name": "K", "type": "school", "unit_id": unit["id"], "managing_agency_id": agency["id"]},
        "destinations": {"name": "T", "role": "national"},
        "recorders": of | {"name": "Đ", "channels": 8},
        "cameras": of | {"name": "C"},
        "teams": {"name": "T", "agency_id": agency["id"]},
        "directives": {name: value for name, value in order.items() if name != "code"},
        "obligations": duty | {"name": "N", "facility_ids": [facility["id"]]},
        "information-requests": of | {"name": "Y", "questions": [{"key": "a", "text": "b"}]},
        "surveys": of,
        "installation-proposals": of,
    }


def of_code(path: str, body: dict[str, Any], code: str) -> dict[str, Any]:
    own = f"rtsp://10.1.1.1/{code}-{sum(map(ord, code))}"
    more = {"cameras": {"url": own}, "destinations": {"url_template": f"{own}/{{camera_code}}"}}
    return body | more.get(path, {}) | {"code": code}


async def test_a_code_in_another_case_or_padding_is_refused_on_every_way_in(province: Any) -> None:
    made = await bodies(province)
    coded = {noun.path for noun in NOUNS if "code" in noun.fields.model_fields}
    assert coded == made.keys()
    for path, body in made.items():
        first = await province.post(f"/v1/{path}", of_code(path, body, "KCL-01"))
        other = await province.post(f"/v1/{path}", of_code(path, body, "XA-7"))
        for code in ("kcl-01", "KCL-1", "Kcl-001"):
            item = {"id": other["id"], "etag": other["etag"], "code": code}
            bulk = [of_code(path, body, "X-1"), of_code(path, body, code)]
            for way, refused, field in (
                ("post", await province.client.post(f"/v1/{path}", json=of_code(path, body, code)), "code"),
                ("patch", await province.change(f"/v1/{path}/{other['id']}", json={"code": code}), "code"),
                ("add many", await province.client.post(f"/v1/{path}/bulk", json=bulk), "1.code"),
                ("change many", await province.client.patch(f"/v1/{path}/bulk", json=[item]), "0.code"),
            ):
                (error,) = refused.json()["errors"]
                assert (refused.status_code, error["field"]) == (409, field), (way, path, refused.text)
                assert TAKEN in error["message"], (way, path, error)
        # The spelling of its own code may change, and two of one request are alike too.
        own = await province.change(f"/v1/{path}/{first['id']}", json={"code": "kcl-001"})
        assert (own.status_code, own.json()["code"]) == (200, "kcl-001"), own.text
        bulk = [of_code(path, body, "Y-1"), of_code(path, body, "y-01")]
        refused = await province.client.post(f"/v1/{path}/bulk", json=bulk)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "1.code"), (path, refused.text)


async def test_of_two_posts_at_the_same_time_one_wins(province: Any) -> None:
    for path, body in (await bodies(province)).items():
        sent = [province.client.post(f"/v1/{path}", json=of_code(path, body, code)) for code in ("Q-1", "q-01", "q-1")]
        answers = await asyncio.gather(*sent)
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409], (path, answers)


@pytest.mark.parametrize("path", ["agencies", "cameras"])
async def test_of_files_and_requests_at_the_same_time_one_wins(province: Any, path: str) -> None:
    await province.facility(code="KCL-01")
    files = {
        "agencies": "code,name,role\n{code},Sở,managing\n",
        "cameras": "code,name,facility_code,url\n{code},Cổng,KCL-01,rtsp://10.1.1.1/{code}\n",
    }
    for number in range(4):
        rows = [files[path].format(code=code).encode() for code in (f"ab-{number}", f"AB-{number}", f"Ab-0{number}")]
        sent = [province.client.post(f"/v1/imports/{path}", content=content, headers=CSV) for content in rows]
        answers = await asyncio.gather(*sent)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(200) == 1, [answer.text for answer in answers]
        assert set(statuses) <= {200, 409, 422, 503}
    codes = [item["code"] for item in (await province.client.get(f"/v1/{path}")).json()["items"]]
    assert len({folded_code(code) for code in codes}) == len(codes)


async def test_units_of_one_level_are_alike_on_the_days_of_both(province: Any) -> None:
    await province.unit(code="045", level="province", valid_to="2025-06-30")
    refused = await province.client.post("/v1/units", json={"code": "45", "name": "n", "level": "province"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "code")
    assert "045" in refused.text
    await province.unit(code="45", level="province", valid_from="2025-07-01")
    await province.unit(code="45", level="district")


async def test_a_period_that_ends_before_it_begins_is_that_mistake_beside_a_new_code_too(province: Any) -> None:
    unit = await province.unit(code="465", valid_from="2021-01-01")
    path, ends = f"/v1/units/{unit['id']}", {"valid_to": "2020-12-31"}
    alone = await province.change(path, json=ends)
    both = await province.change(path, json=ends | {"code": "466"})
    assert (alone.status_code, both.status_code) == (422, 422), both.text
    assert both.json()["errors"] == alone.json()["errors"] != []


async def test_a_code_of_out_of_sight_is_refused_and_not_named(province: Any, token_for: Callable[..., str]) -> None:
    hidden, own = await province.facility(), await province.facility(code="KCL-99")
    await province.camera(code="CAM-MAT-01", facility_id=hidden["id"])
    token = token_for(Role.PROVINCE_LEAD, f"facility:{own['id']}")
    headers = {"Authorization": f"Bearer {token}"}
    body = {"code": "cam-mat-1", "name": "n", "url": "rtsp://10.1.1.9/1", "facility_id": own["id"]}
    refused = await province.client.post("/v1/cameras", json=body, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "code"), refused.text
    assert "CAM-MAT-01" not in refused.text
    text_of_file = "code,name,facility_code,url\ncam-mat-1,n,KCL-99,rtsp://10.1.1.9/1\n"
    for query in ({}, {"dry_run": "true"}):
        answer = await province.client.post(
            "/v1/imports/cameras", content=text_of_file.encode(), headers=headers | CSV, params=query
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "code"), answer.text
        assert "CAM-MAT-01" not in answer.text


CODES = st.text(alphabet="aBZ019.-_", min_size=1, max_size=64)


@given(codes=st.lists(CODES, min_size=1, max_size=20))
def test_the_database_folds_as_the_service_does(superuser: Engine, codes: list[str]) -> None:
    with superuser.begin() as connection:
        folded = connection.execute(text("select folded_code(unnest(cast(:codes as text[])))"), {"codes": codes})
        assert list(folded.scalars()) == [folded_code(code) for code in codes]


ALIKE = """
insert into units (id, revision, created_at, changed_at, code, name, search, level, valid_from) values
  ('00000000-0000-4000-8000-000000000001', 1, now(), now(), '045', 'A', 'a', 'province', null),
  ('00000000-0000-4000-8000-000000000002', 1, now() + '1 s', now(), '45', 'B', 'b', 'province', '2021-01-01');
insert into units (id, revision, created_at, changed_at, code, name, search, level, valid_from, valid_to) values
  ('00000000-0000-4000-8000-000000000004', 1, now(), now(), '046', 'C', 'c', 'province', null, '2025-06-30'),
  ('00000000-0000-4000-8000-000000000005', 1, now() + '1 s', now(), '46', 'D', 'd', 'province', '2021-01-01', null);
insert into agencies (id, revision, created_at, changed_at, code, name, search, role) values
  ('00000000-0000-4000-8000-000000000003', 1, now(), now(), 'SYT', 'Sở', 'so', 'managing');
insert into facilities (id, revision, created_at, changed_at, code, name, search, type, status, unit_id,
                        managing_agency_id, restricted)
  select gen_random_uuid(), 1, now() + place * interval '1 second', now(), code, 'K', 'k', 'school', 'planned',
         '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000003', false
  from unnest(array['KCL-01', 'kcl-1', 'KCL-001', 'KCL-2']) with ordinality as codes(code, place);
"""


async def test_what_is_alike_of_before_stays_and_nothing_is_added_to_it(
    database_url: str, settings: Settings, start_province: Callable[[Settings], AbstractAsyncContextManager[Any]]
) -> None:
    await asyncio.to_thread(command.upgrade, config(SCRIPTS, database_url), "0013")
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(ALIKE))
    engine.dispose()
    await asyncio.to_thread(migrate, SCRIPTS, database_url)
    async with start_province(settings.model_copy(update={"database_url": SecretStr(database_url)})) as province:
        exported = (await province.client.get("/v1/exports/facilities.csv")).content
        answer = await province.client.post("/v1/imports/facilities", content=exported, headers=CSV)
        assert (answer.status_code, answer.json().get("unchanged")) == (200, 4), answer.text
        listed = (await province.client.get("/v1/facilities")).json()["items"]
        ids = {item["code"]: item["id"] for item in listed}
        for code, thing_id in ids.items():
            named = await province.change(f"/v1/facilities/{thing_id}", json={"name": "Tên mới", "code": code})
            assert named.status_code == 200, named.text
        body = {name: listed[0][name] for name in ("name", "type", "unit_id", "managing_agency_id")}
        for code in ("Kcl-01", "Kcl-0001", "kcl-2"):
            refused = await province.client.post("/v1/facilities", json=body | {"code": code})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "code")
        again = {"code": "46", "name": "E", "level": "province", "valid_from": "2025-07-01"}
        refused = await province.client.post("/v1/units", json=again)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "code"), refused.text
        mended = await province.change(f"/v1/facilities/{ids['kcl-1']}", json={"code": "KCL-3"})
        assert mended.status_code == 200
    await asyncio.to_thread(command.downgrade, config(SCRIPTS, database_url), "0013")
