"""MAC addresses come in the spelling of whoever wrote the menu, and are kept in one."""

import pytest

from inventory.domain.devices.expected import check_mac


@pytest.mark.parametrize(
    "text",
    [
        "0a:1b:2c:3d:4e:5f", "0A-1B-2C-3D-4E-5F", "0a1b.2c3d.4e5f", "0a1b2c3d4e5f", "0A1B2C-3D4E5F", "0a1b:2c3d:4e5f",
        " 0a 1b 2c 3d 4e 5f ", "0a.1b.2c.3d.4e.5f",
    ],
)  # fmt: skip
def test_a_mac_address_is_taken_in_every_usual_spelling(text: str) -> None:
    assert check_mac(text) == "0a:1b:2c:3d:4e:5f"


@pytest.mark.parametrize(
    "text", ["0a:1b:2c", "0a1b.2c3d.4e5g", "0a::1b:2c:3d:4e:5f", "a:1b:2c:3d:4e:5f", "0a:1b:2c:3d:4e:5f:6a"]
)
def test_what_is_no_mac_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="twelve hexadecimal digits"):
        check_mac(text)
