"""/v1/cameras."""

from typing import Any


async def test_new_camera_goes_to_every_enabled_destination(province: Any) -> None:
    first = await province.destination()
    second = await province.destination(role="provincial")
    await province.destination(enabled=False)
    camera = await province.camera()
    assert {delivery["destination_id"] for delivery in camera["deliveries"]} == {first["id"], second["id"]}
    assert camera["deliveries"][0]["url"].endswith(f"/{camera['code']}")
