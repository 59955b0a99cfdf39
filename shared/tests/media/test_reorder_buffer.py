from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.reorder_buffer import ReorderBuffer


def numbered(sequence: int) -> bytes:
    return (sequence & 0xFFFF).to_bytes(2, "big")


def push_all(buffer: ReorderBuffer, sequences: list[int]) -> list[int]:
    out = [packet for sequence in sequences for packet in buffer.push(sequence & 0xFFFF, numbered(sequence))]
    return [int.from_bytes(packet, "big") for packet in out]


def test_packets_in_order_pass_at_once() -> None:
    buffer = ReorderBuffer(8)
    assert push_all(buffer, [65534, 65535, 65536, 65537]) == [65534, 65535, 0, 1]
    assert buffer.gap is None


def test_an_early_packet_waits_for_the_one_before_it() -> None:
    buffer = ReorderBuffer(8)
    assert push_all(buffer, [1, 3, 4]) == [1]
    assert buffer.gap == 2
    assert push_all(buffer, [2]) == [2, 3, 4]
    assert buffer.gap is None


def test_a_gap_that_is_given_up_lets_the_rest_go_on_up_to_the_next_gap() -> None:
    buffer = ReorderBuffer(8)
    push_all(buffer, [1, 3, 5, 6])
    assert buffer.skip() == [numbered(3)]
    assert buffer.gap == 4
    assert buffer.skip() == [numbered(5), numbered(6)]
    assert buffer.skip() == []


def test_a_packet_after_its_turn_and_a_doubled_one_are_dropped_and_counted() -> None:
    buffer = ReorderBuffer(8)
    assert push_all(buffer, [10, 10, 12, 12, 9]) == [10]
    assert buffer.late == 3


def test_no_more_than_the_bound_is_held() -> None:
    buffer = ReorderBuffer(3)
    assert push_all(buffer, [1, 3, 4, 5, 6]) == [1, 3, 4, 5, 6]


def test_a_sender_that_begins_anew_is_followed_after_what_is_held() -> None:
    buffer = ReorderBuffer(8)
    assert push_all(buffer, [100, 102, 40000, 40001]) == [100, 102, 40000, 40001]
    assert push_all(buffer, [39000, 39001]) == [39000, 39001]


@given(st.integers(0, 0xFFFF), st.permutations(range(40)), st.integers(40, 64))
def test_any_order_within_the_bound_comes_out_sorted_and_whole(first: int, order: list[int], bound: int) -> None:
    buffer = ReorderBuffer(bound)
    buffer.push(first, numbered(first))
    out = push_all(buffer, [first + 1 + step for step in order])
    assert out == [(first + 1 + step) & 0xFFFF for step in range(40)]


@given(st.lists(st.integers(0, 0xFFFF), max_size=200), st.integers(1, 16))
def test_any_numbers_come_out_once_at_most_and_never_more_is_held_than_allowed(numbers: list[int], bound: int) -> None:
    buffer = ReorderBuffer(bound)
    out = sum(len(buffer.push(number, numbered(number))) for number in numbers)
    held = len(buffer.flush())
    assert held <= bound
    assert out + held + buffer.late == len(numbers)
