"""The demo: complete, and in step with the simulator that plays it."""

from datetime import date

from local.demo import content, mandate, surveys
from simulator.demo import SILENT_CAMERA_ID, WRONG_PASSWORD_CAMERA_ID, demo_config
from vonggac.events.inventory import AgencyRole, FacilityType


def test_the_ten_districts_of_2021_are_there() -> None:
    districts = [row for row in content.rows("units") if row["level"] == "district"]
    assert [row["code"] for row in districts if row["parent_code"] == "45"] == [
        "461", "462", "464", "465", "466", "467", "468", "469", "470", "471",
    ]  # fmt: skip


def test_the_78_communes_of_today_each_follow_a_district() -> None:
    """69 xã, 8 phường and Cồn Cỏ, of Quảng Trị as it is since 01/7/2025; every facility stands in one of them."""
    rows = content.rows("units")
    communes = [row for row in rows if row["level"] == "commune"]
    kinds = [row["name"].partition(" ")[0] for row in communes]
    assert (len(communes), kinds.count("Xã"), kinds.count("Phường"), kinds.count("Đặc")) == (78, 69, 8, 1)
    ended = {row["code"] for row in rows if row["level"] == "district" and row["valid_to"] == "2025-06-30"}
    assert {row["succeeds"] for row in communes} == ended
    assert {row["unit_code"] for row in content.rows("facilities")} <= {row["code"] for row in communes}
    agencies = {row["code"]: row for row in content.rows("agencies")}
    assert not [
        row["code"] for row in content.rows("facilities") if "valid_to" in agencies[row["managing_agency_code"]]
    ]
    assert agencies["STTTT"]["successor_code"] == "SKHCN"


def test_twelve_facilities_cover_every_type() -> None:
    facilities = content.rows("facilities")
    assert len(facilities) == 12
    assert {row["type"] for row in facilities} == set(FacilityType)
    assert {row["unit_code"] for row in facilities} <= {row["code"] for row in content.rows("units")}
    assert {row["managing_agency_code"] for row in facilities} <= {row["code"] for row in content.rows("agencies")}
    assert {row["code"] for row in facilities if row["type"] == "military"} == {
        row["code"] for row in facilities if row["restricted"] == "true"
    }


def test_every_role_of_the_mandate_has_an_agency() -> None:
    assert {row["role"] for row in content.rows("agencies")} == set(AgencyRole)


def test_every_virtual_camera_is_in_the_inventory_once() -> None:
    cameras = content.rows("cameras")
    assert sorted(row["simulator_id"] for row in cameras) == sorted(camera.id for camera in demo_config().cameras)
    assert {row["facility_code"] for row in cameras} <= set(content.facility_codes())
    assert len(cameras) == content.EXPECTATION.cameras


def test_only_the_camera_that_should_fail_has_a_wrong_login() -> None:
    virtual = {camera.id: camera for camera in demo_config().cameras}
    wrong = [
        row["simulator_id"]
        for row in content.rows("cameras")
        if (row.get("username", ""), row.get("password", ""))
        != (virtual[row["simulator_id"]].username, virtual[row["simulator_id"]].password.get_secret_value())
    ]
    assert wrong == [WRONG_PASSWORD_CAMERA_ID]
    assert [camera.id for camera in virtual.values() if camera.fault is not None] == [SILENT_CAMERA_ID]


def test_the_destinations_can_log_in_at_their_centres() -> None:
    centres = {centre.id: centre for centre in demo_config().centres}
    destinations = content.destinations()
    assert [one.role for one in destinations] == ["national", "provincial"]
    for one in destinations:
        centre = centres[one.simulator_id]
        assert (one.username, one.password) == (centre.username, centre.password.get_secret_value())


def test_rows_survive_the_way_through_csv() -> None:
    rows = [{"code": "A", "name": 'Sân "sau", dãy B'}, {"code": "B", "area": "gate"}]
    assert content.as_csv(rows) == 'code,name,area\nA,"Sân ""sau"", dãy B",\nB,,gate\n'


def test_the_letter_carries_out_1407_which_carries_out_597() -> None:
    directives = {row["code"]: row for row in mandate.content()["directives"]}
    chain, code = [], "1742-UBND-VX-2021"
    while code:
        chain.append(directives[code]["number"])
        code = directives[code].get("implements", "")
    assert chain == ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ"]


def test_every_obligation_cites_a_directive_and_names_its_source() -> None:
    data = mandate.content()
    directives = {row["code"] for row in data["directives"]}
    agencies = {row["code"] for row in content.rows("agencies")}
    for row in data["obligations"]:
        assert row["directive"] in directives
        assert row["responsible"] in agencies
        assert row["source"] in data["sources"]
    assert {row["code"]: row.get("due_before") for row in data["obligations"] if "1742" in row["code"]} == {
        "NV-1742-A": "2021-05-10",
        "NV-1742-B": "2021-05-10",
        "NV-1742-C": None,
        "NV-1742-D": None,
        "NV-1742-E": None,
    }


def test_every_camera_of_the_demo_is_forwarded_under_a_plan_or_an_exception() -> None:
    data = surveys.content()
    planned = set(data["plans"]) | {row["facility"] for row in data["exceptions"]}
    assert {row["facility_code"] for row in content.rows("cameras")} <= planned
    approved = {row["facility"] for row in data["surveys"] if row["to"] == "approved"}
    assert set(data["plans"]) <= approved
    assert {row["facility"] for row in data["proposals"]} <= approved


def test_the_example_of_now_has_duties_due_late_and_to_come() -> None:
    """Its days count from the day of loading, and the letter of 2021 keeps its own."""
    data, today = mandate.content(), date(2026, 12, 1)
    rows = [mandate.dated(row, today) for row in data["obligations"]]
    of_now = {row["kind"]: row["due_before"] for row in rows if row["directive"] == "VD-2150-UBND-VX"}
    assert of_now == {
        "focal_point": "2026-11-30",
        "survey_and_plan": "2026-12-03",
        "proposal": "2026-12-04",
        "connection": "2026-12-06",
        "coverage": "2026-12-11",
    }
    assert {row["due_before"] for row in rows if row["code"] in {"NV-1742-A", "NV-1742-B"}} == {"2021-05-10"}
    named = {row["facility"] for row in data["focal_points"]}
    assert named
    assert named < {row["code"] for row in content.rows("facilities")}, "some facilities have no focal point yet"


def test_one_centre_is_pushed_to_and_one_pulls() -> None:
    assert {one.role: one.mode for one in content.destinations()} == {"national": "push", "provincial": "serve"}
