"""Where every millisecond goes."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.compliance import complies, connection_name, role_connections
from reporting.domain.evidence.claims import ACKNOWLEDGED, Status
from reporting.domain.evidence.proven import Found, Proven
from reporting.domain.partition import (
    DURATION_NAMES,
    LEDGER_NAMES,
    DeliveryDurations,
    DeliveryLine,
    Durations,
    Seen,
    account,
    out_of_scope,
)
from reporting.domain.percentages import percentages, rounded
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from vonggac.events.inventory import DestinationRole

HOUR = 3_600_000
DAY = Period(0, 24 * HOUR)
UP, DOWN, UNKNOWN = CameraState.UP, CameraState.DOWN, CameraState.UNKNOWN
NATIONAL, PROVINCIAL = DestinationRole.NATIONAL, DestinationRole.PROVINCIAL


def seen(start: int, end: int, state: CameraState = UP, cause: str | None = None) -> Segment[Seen]:
    return Segment(start, end, Seen(state, cause, start))


def line(
    role: DestinationRole, *spans: tuple[int, int, str], proof: str = "acknowledged", required: bool = True
) -> DeliveryLine:
    segments = [Segment(start, end, Status(state, None, start)) for start, end, state in spans]
    return DeliveryLine(role, proof, required, segments)


def connected(role: DestinationRole, state: str = "acknowledged", proof: str = "acknowledged") -> DeliveryLine:
    return line(role, (DAY.start, DAY.end, state), proof=proof)


def found(start: int, end: int, cause: str | None = None, *, differs: bool = False) -> Segment[Found]:
    return Segment(start, end, Found(cause or True, differs))


BOTH = [connected(NATIONAL), connected(PROVINCIAL)]


def test_an_outage_from_two_to_a_quarter_to_three_gives_96_875_percent_of_the_day() -> None:
    """R08."""
    start, end = 2 * HOUR, 2 * HOUR + 45 * 60_000
    camera = [seen(0, start), seen(start, end, DOWN, "timeout"), seen(end, DAY.end)]
    found = account(DAY, camera, BOTH, []).camera
    figures = percentages(found.up, found.down, found.unknown)
    assert (figures.measured_percent, figures.strict_percent, figures.coverage_percent) == (96.875, 96.875, 100.0)
    assert rounded(figures.measured_percent) == "96.88"
    assert found.down == end - start
    assert found.compliant == DAY.length - found.down


def test_unknown_is_neither_up_nor_down() -> None:
    found = account(DAY, [seen(0, 6 * HOUR)], BOTH, []).camera
    figures = percentages(found.up, found.down, found.unknown)
    assert figures == (100.0, 25.0, 100.0, 25.0)


def test_maintenance_is_in_no_percentage() -> None:
    camera = [seen(0, 12 * HOUR), seen(12 * HOUR, DAY.end, DOWN)]
    found = account(DAY, camera, BOTH, [Segment(12 * HOUR, DAY.end, True)])
    assert (found.camera.maintenance, found.camera.down) == (12 * HOUR, 0)
    assert percentages(found.camera.up, found.camera.down, found.camera.unknown).strict_percent == 100.0
    assert found.deliveries[0].maintenance == 12 * HOUR


def test_one_delivery_alone_does_not_comply() -> None:
    found = account(DAY, [seen(*DAY)], [connected(NATIONAL), connected(PROVINCIAL, "backing_off")], []).camera
    assert (found.compliant, found.non_compliant, found.national_only) == (0, DAY.length, DAY.length)


def test_a_role_without_a_required_delivery_is_not_connected() -> None:
    off = line(PROVINCIAL, (0, DAY.end, "acknowledged"), required=False)
    found = account(DAY, [seen(*DAY)], [connected(NATIONAL), off], []).camera
    assert (found.compliant, found.non_compliant) == (0, DAY.length)


@pytest.mark.parametrize(("state", "proof", "counts"), [
    ("acknowledged", "acknowledged", True),
    ("verified", "acknowledged", True),
    ("mismatch", "acknowledged", True),
    ("sending", "acknowledged", False),
    ("verified", "verified", True),
    ("acknowledged", "verified", True),
    ("sending", "verified", False),
])  # fmt: skip
def test_a_delivery_counts_as_its_destination_demands(state: str, proof: str, counts: bool) -> None:
    """What counts is the read-backs, which matched all day, and not the state that followed from them."""
    proven = connected(NATIONAL, state, proof)._replace(proven=Proven([found(*DAY)]))
    lines = [proven, connected(PROVINCIAL)]
    assert account(DAY, [seen(*DAY)], lines, []).camera.compliant == (DAY.length if counts else 0)


def test_a_certain_fault_beats_an_unknown() -> None:
    found = account(DAY, [seen(*DAY, DOWN)], [line(NATIONAL), line(PROVINCIAL)], []).camera
    assert (found.non_compliant, found.compliance_unknown, found.connection_unknown) == (DAY.length, 0, DAY.length)
    assert complies(UNKNOWN, True, True) is None
    assert complies(UNKNOWN, True, False) is False


def test_not_connected_time_is_divided_by_cause() -> None:
    segments = [
        Segment(0, HOUR, Status("backing_off", "refused", 0)),
        Segment(HOUR, 3 * HOUR, Status("connecting", None, HOUR)),
    ]
    found = account(DAY, [], [DeliveryLine(NATIONAL, "acknowledged", True, segments)], []).deliveries[0]
    assert found.by_cause == {"refused": HOUR, "none": 2 * HOUR}
    assert (found.not_connected, found.unknown) == (3 * HOUR, 21 * HOUR)


def test_every_delivery_of_a_role_must_be_connected() -> None:
    plan = [(NATIONAL, True), (NATIONAL, True), (PROVINCIAL, True)]
    assert role_connections(plan, [True, False, True]) == (False, True)
    assert role_connections(plan, [True, None, None]) == (None, None)


@st.composite
def cut_lines(draw: st.DrawFn, values: st.SearchStrategy[object]) -> list[Segment[object]]:
    cuts = sorted(draw(st.sets(st.integers(-50, 150), min_size=2, max_size=8)))
    return [Segment(start, end, draw(values)) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]


STATES = st.sampled_from([Seen(UP, None, 0), Seen(DOWN, "timeout", 0), Seen(UNKNOWN, None, 0)])
STATUSES = st.sampled_from([Status("acknowledged", None, 0), Status("backing_off", "refused", 0)])


@given(cut_lines(STATES), cut_lines(STATUSES), cut_lines(STATUSES), cut_lines(st.just(True)))
def test_all_partitions_add_up_to_the_period(
    camera: list[Segment[Seen]],
    national: list[Segment[Status]],
    provincial: list[Segment[Status]],
    agreed: list[Segment[bool]],
) -> None:
    period = Period(0, 100)
    lines = [
        DeliveryLine(NATIONAL, "acknowledged", True, national),
        DeliveryLine(PROVINCIAL, "acknowledged", True, provincial),
    ]
    found = account(period, camera, lines, agreed)
    one = found.camera
    assert one.period == 100
    assert one.up + one.down + one.maintenance + one.unknown + one.out_of_scope == 100
    assert one.compliant + one.non_compliant + one.maintenance + one.compliance_unknown == 100
    assert (
        one.both + one.national_only + one.provincial_only + one.neither + one.connection_unknown + one.maintenance
        == 100
    )
    for delivery in found.deliveries:
        assert sum(getattr(delivery, name) for name in LEDGER_NAMES) == 100
        assert sum(delivery.by_cause.values()) == delivery.not_connected
    assert one.compliant <= min(one.up, one.both)


def test_the_names_are_in_the_order_of_their_fields() -> None:
    """`account` fills both by position."""
    assert tuple(Durations.__dataclass_fields__) == DURATION_NAMES
    assert tuple(DeliveryDurations.__dataclass_fields__) == (*LEDGER_NAMES, "by_cause")


def test_adding_leaves_no_name_out() -> None:
    values = range(1, len(DURATION_NAMES) + 1)
    camera = Durations(*values)
    camera.add(Durations(*[100 * value for value in values]))
    assert camera.lengths == tuple(101 * value for value in values)
    delivery = DeliveryDurations(1, 2, 3, 4, 5, {"timeout": 6})
    delivery.add(DeliveryDurations(100, 200, 300, 400, 500, {"timeout": 600, "refused": 7}))
    assert delivery == DeliveryDurations(101, 202, 303, 404, 505, {"timeout": 606, "refused": 7})


ROLES = st.sampled_from([NATIONAL, PROVINCIAL, None])
PROOFS = st.sampled_from(["acknowledged", "verified"])
ALL_STATUSES = st.sampled_from(
    [
        Status("acknowledged", None, 0),
        Status("verified", None, 0),
        Status("backing_off", "refused", 0),
        Status("waiting_for_camera", "none", 0),
        Status("connecting", None, 0),
    ]
)
FOUND = st.sampled_from([Found(True, False), Found("timeout", False), Found("mismatch", True)])
PROVEN = st.builds(Proven, cut_lines(FOUND), cut_lines(st.just("ended")), st.sampled_from([0, 0, 40]))
LINES = st.builds(DeliveryLine, ROLES, PROOFS, st.booleans(), cut_lines(ALL_STATUSES), PROVEN)


def expected(line: DeliveryLine, status: Status | None, moment: int) -> bool | str | None:
    """Connected, the cause why not, or None: said again, moment by moment."""
    if status is None:
        return None
    if moment < line.proven.since:
        if status.state == "verified" or (status.state == line.proof == "acknowledged"):
            return True
        if status.state != "acknowledged":
            return status.cause or "none"
        failed = value_at(line.proven.failed, moment)
        return None if failed is None else failed.value
    if status.state not in ACKNOWLEDGED:
        return status.cause or "none"
    read_back = value_at(line.proven.found, moment)
    if line.proof == "verified":
        return None if read_back is None else read_back.value.code
    return read_back.value.code if read_back is not None and read_back.value.differs else True


@given(cut_lines(STATES), st.lists(LINES, max_size=4), cut_lines(st.just(True)))
def test_adding_up_kinds_of_moments_is_reading_every_moment(
    camera: list[Segment[Seen]], deliveries: list[DeliveryLine], agreed: list[Segment[bool]]
) -> None:
    period = Period(0, 100)
    counted = account(period, camera, deliveries, agreed)
    sums: Counter[str] = Counter(period=100)
    ledgers: list[dict[str, Any]] = [{**dict.fromkeys(LEDGER_NAMES, 0), "by_cause": Counter()} for _ in deliveries]
    for moment in range(period.start, period.end):
        held = [value_at(line.segments, moment) for line in deliveries]
        statuses = [None if one is None else one.value for one in held]
        if value_at(agreed, moment):
            sums["maintenance"] += 1
            for ledger, line in zip(ledgers, deliveries, strict=True):
                ledger["maintenance" if line.required else "out_of_scope"] += 1
            continue
        codes = [expected(line, one, moment) for one, line in zip(statuses, deliveries, strict=True)]
        connections = [None if code is None else code is True for code in codes]
        centres = role_connections([(line.role, line.required) for line in deliveries], connections)
        seen_then = value_at(camera, moment)
        state = UNKNOWN if seen_then is None else seen_then.value.state
        verdict = {True: "compliant", False: "non_compliant", None: "compliance_unknown"}[complies(state, *centres)]
        sums.update([state.value, verdict, connection_name(*centres)])
        for ledger, line, code, connection in zip(ledgers, deliveries, codes, connections, strict=True):
            if not line.required:
                ledger["out_of_scope"] += 1
                continue
            ledger[{True: "connected", False: "not_connected", None: "unknown"}[connection]] += 1
            if isinstance(code, str):
                ledger["by_cause"][code] += 1
    assert counted.camera == Durations(**sums)
    assert list(counted.deliveries) == [DeliveryDurations(**ledger) for ledger in ledgers]


def test_out_of_scope_is_the_whole_of_its_time() -> None:
    found = out_of_scope(Period(10, 35), 2)
    assert found.camera == Durations(period=25, out_of_scope=25)
    assert [one.out_of_scope for one in found.deliveries] == [25, 25]


def test_a_blind_verifier_makes_nobody_non_compliant() -> None:
    proven = connected(PROVINCIAL, "verified", "verified")._replace(proven=Proven([found(*DAY)]))
    counted = account(DAY, [seen(*DAY)], [connected(NATIONAL, "verified", "verified"), proven], [])
    assert (counted.camera.non_compliant, counted.camera.compliance_unknown) == (0, DAY.length)
    assert (counted.deliveries[0].unknown, counted.deliveries[1].connected) == (DAY.length, DAY.length)


def test_a_read_back_that_was_tried_and_failed_is_not_connected() -> None:
    failed = Proven([found(HOUR, 3 * HOUR, "timeout")])
    line = connected(NATIONAL, "acknowledged", "verified")._replace(proven=failed)
    counted = account(DAY, [seen(*DAY)], [line, connected(PROVINCIAL)], [])
    assert (counted.deliveries[0].not_connected, counted.deliveries[0].by_cause) == (2 * HOUR, {"timeout": 2 * HOUR})
    assert counted.camera.non_compliant == 2 * HOUR


@pytest.mark.parametrize(("differs", "not_connected"), [(True, 2 * HOUR), (False, 0)])
def test_proof_ends_an_acknowledged_connection_only_where_another_picture_came_back(
    differs: bool, not_connected: int
) -> None:
    line = connected(NATIONAL, "mismatch")._replace(proven=Proven([found(HOUR, 3 * HOUR, "x", differs=differs)]))
    counted = account(DAY, [seen(*DAY)], [line, connected(PROVINCIAL)], []).deliveries[0]
    assert (counted.connected, counted.not_connected) == (DAY.length - not_connected, not_connected)


def test_time_before_the_rule_keeps_its_account() -> None:
    """A forwarder called it verified all day; by rule 4 nothing was read back."""
    line = connected(NATIONAL, "verified", "verified")._replace(proven=Proven(since=9 * HOUR))
    counted = account(DAY, [seen(*DAY)], [line, connected(PROVINCIAL)], []).deliveries[0]
    assert (counted.connected, counted.unknown) == (9 * HOUR, 15 * HOUR)
