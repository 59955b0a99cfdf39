"""How pictures arrive, and what the camera's clock says."""

import random

import pytest

from prober.probes.camera.arrival import Unevenness

RATE = 90_000
TICKS = 3600  # 25 pictures a second
NOW = 1_620_374_400.0


def jitter_ms(arrivals_s: list[float], order: list[int] | None = None) -> float | None:
    unevenness = Unevenness(RATE)
    for number, arrived_at in zip(order or range(len(arrivals_s)), arrivals_s, strict=True):
        unevenness.update(number * TICKS, arrived_at)
    return unevenness.jitter_ms()


def test_pictures_that_come_in_step_have_no_jitter() -> None:
    assert jitter_ms([5 + number / 25 for number in range(50)]) == 0.0


def test_a_burst_of_stored_pictures_at_the_start_is_no_jitter() -> None:
    assert jitter_ms([5.0] * 25 + [5 + number / 25 for number in range(1, 25)]) == 0.0


def test_random_delays_show_as_their_mean() -> None:
    chance = random.Random(1742)
    measured = jitter_ms([5 + number / 25 + chance.uniform(0, 0.03) for number in range(200)])
    assert measured == pytest.approx(15, abs=3)


def test_a_single_pause_weighs_little() -> None:
    arrivals = [5 + max(number, 14 if 10 <= number < 14 else 0) / 25 for number in range(50)]
    measured = jitter_ms(arrivals)
    assert measured is not None
    assert measured < 10


def test_pictures_out_of_order_are_no_jitter() -> None:
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14]
    assert jitter_ms([5 + number / 25 for number in range(16)], order) == pytest.approx(0.0, abs=1)


def test_too_few_pictures_say_nothing() -> None:
    assert jitter_ms([5.0, 5.1, 5.2]) is None
