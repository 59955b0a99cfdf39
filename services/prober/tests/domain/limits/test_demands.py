"""How much callers may have asked: by caller, by network, by ports of one address."""

import pytest

from prober.domain.limits.demands import WINDOW_S, Budget, Endpoint, Limit, Limits, TooMuchError

LIMITS = Limits(per_caller=6, per_network=8, ports_per_address=3)


def endpoints(*ports: int, host: int = 1, network: str = "10.20.1.0/24") -> list[Endpoint]:
    return [Endpoint(f"{network.removesuffix('.0/24')}.{host}", port, network) for port in ports]


def take(budget: Budget, caller: str, wanted: list[Endpoint], now: float) -> None:
    budget.check(caller, wanted, now)
    budget.count(caller, wanted, now)


def refused(budget: Budget, caller: str, wanted: list[Endpoint], now: float) -> TooMuchError:
    with pytest.raises(TooMuchError) as caught:
        take(budget, caller, wanted, now)
    return caught.value


def test_a_caller_has_so_much_in_an_hour_and_another_caller_has_his_own() -> None:
    budget = Budget(LIMITS)
    for host in range(6):
        take(budget, "a", endpoints(554, host=host, network=f"10.20.{host}.0/24"), now=float(host))
    error = refused(budget, "a", endpoints(554, network="10.21.0.0/24"), now=10.0)
    assert (error.limit, error.after_s) == (Limit.CALLER, WINDOW_S - 10.0)
    take(budget, "b", endpoints(554, network="10.21.0.0/24"), now=10.0)
    take(budget, "a", endpoints(554, network="10.21.0.0/24"), now=WINDOW_S)


def test_a_network_has_so_much_whoever_asks() -> None:
    budget = Budget(LIMITS)
    for host in range(4):
        take(budget, "a" if host % 2 else "b", endpoints(80, 8080, host=host), now=0.0)
    assert refused(budget, "c", endpoints(554, host=9), now=1.0).limit is Limit.NETWORK
    take(budget, "c", endpoints(554, network="10.20.2.0/24"), now=1.0)


def test_an_address_has_few_ports_however_they_are_spread_over_callers() -> None:
    budget = Budget(LIMITS)
    take(budget, "a", endpoints(1, 2), now=0.0)
    take(budget, "b", endpoints(2, 3), now=0.0)
    error = refused(budget, "c", endpoints(4), now=0.0)
    assert error.limit is Limit.PORTS
    assert "10.20.1.1" in str(error)
    take(budget, "c", endpoints(1), now=0.0)


def test_what_is_refused_is_not_counted() -> None:
    budget = Budget(LIMITS)
    for _ in range(5):
        refused(budget, "a", endpoints(1, 2, 3, 4), now=0.0)
    take(budget, "a", endpoints(1, 2, 3), now=0.0)


def test_too_much_at_once_is_refused_too() -> None:
    error = refused(Budget(LIMITS), "a", [each for host in range(7) for each in endpoints(80, host=host)], now=0.0)
    assert (error.limit, error.after_s) == (Limit.CALLER, WINDOW_S)
