"""What may be stated, and what is said when it may not."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from inventory.domain.devices.camera import CameraFields, fitting_timeout
from inventory.domain.devices.destination import DestinationFields
from inventory.domain.people.focal_point import Person
from inventory.domain.places.unit import UnitFields


@pytest.mark.parametrize("code", ["", "-a", "a b", "Đ1", "a" * 65, ".x", "a/b"])
def test_a_code_that_cannot_stand_in_an_address_is_refused(code: str) -> None:
    with pytest.raises(ValidationError, match=r"e\.g\. QT-KCL-01"):
        UnitFields(code=code, name="x")


@pytest.mark.parametrize("area", ["room", "bedroom", "toilet", "bathroom", " Toilet "])
def test_an_area_of_privacy_is_refused_naming_the_rule(area: Any) -> None:
    with pytest.raises(ValidationError, match="4403/CV-BCĐ"):
        CameraFields(code="c", name="n", area=area)


def test_an_unknown_area_is_refused_naming_the_known() -> None:
    with pytest.raises(ValidationError, match="outside_toilet"):
        CameraFields.model_validate({"code": "c", "name": "n", "area": "roof"})


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="2021-05-07"):
        UnitFields(code="1", name="n", valid_from=date(2021, 5, 7), valid_to=date(2021, 5, 6))


@pytest.mark.parametrize(("interval_s", "timeout_s"), [(4, None), (3601, None), (30, 0.5), (30, 61), (10, 10)])
def test_probe_times_out_of_range_are_refused(interval_s: float, timeout_s: float | None) -> None:
    with pytest.raises(ValidationError):
        CameraFields(code="c", name="n", probe_interval_s=interval_s, probe_timeout_s=timeout_s)


@pytest.mark.parametrize(("given", "interval_s", "fits"), [(None, 30, 10), (None, 6, 3), (8, 30, 8), (10, 10, 5)])
def test_the_timeout_fits_into_the_interval(given: float | None, interval_s: float, fits: float) -> None:
    assert fitting_timeout(given, interval_s) == fits


@pytest.mark.parametrize(
    ("phone", "email"), [("12", None), ("abc", None), ("0233 3852 123", "a@b"), ("0233 3852 123", "x")]
)
def test_a_focal_point_can_be_reached(phone: str, email: str | None) -> None:
    with pytest.raises(ValidationError):
        Person(full_name="Trần Văn Mẫu", position="Hiệu trưởng", phone=phone, email=email)


@pytest.mark.parametrize(
    "phone", ["0233 3852 123", "(0233) 3852.123", "+84 912 345 678", "(+84) 912-345-678", "+84(0)912345678"]
)
def test_a_phone_number_is_taken_as_people_write_it(phone: str) -> None:
    assert Person(full_name="Trần Văn Mẫu", position="Hiệu trưởng", phone=phone).phone == phone


def test_no_destination_is_called_none() -> None:
    with pytest.raises(ValidationError, match="CSV"):
        DestinationFields.model_validate({"code": "None", "name": "n", "role": "national"})
