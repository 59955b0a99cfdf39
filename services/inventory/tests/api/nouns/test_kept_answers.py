"""An answer is called unchanged (304) only where all of it is: what an item shows beside its record counts too."""

from typing import Any


async def test_a_facility_whose_officer_left_or_came_is_not_called_unchanged(province: Any) -> None:
    facility = await province.facility()
    one = f"/v1/facilities/{facility['id']}"
    first = await province.client.get(one)
    assert first.json()["focal_point_missing"] is True
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    await province.post("/v1/focal-points", person | {"phone": "0912345678", "valid_from": "2021-05-01"})
    again = await province.client.get(one, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.json()["focal_point_missing"]) == (200, False)
    # The ETag is still that of the record, which nobody changed.
    assert again.headers["etag"] == first.headers["etag"]
    assert (await province.change(one, json={"beds": 40})).status_code == 200


async def test_an_item_that_is_all_of_its_record_is_called_unchanged(province: Any) -> None:
    camera = await province.camera()
    one = f"/v1/cameras/{camera['id']}"
    first = await province.client.get(one)
    same = await province.client.get(one, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
