"""Trace contexts as the W3C writes them."""

import pytest

from vonggac.events.traces import TraceContext, new_trace, parse_traceparent, present_trace, within_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_is_read_and_written_alike() -> None:
    read = parse_traceparent(f"00-{TRACE}-{SPAN}-01")
    assert read == TraceContext(TRACE, SPAN, recorded=True)
    assert read.traceparent == f"00-{TRACE}-{SPAN}-01"


def test_one_of_a_later_version_is_read_by_its_beginning() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-00-more") == TraceContext(TRACE, SPAN, recorded=False)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "00-0-0-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\nx",
        f"01-{TRACE}-{SPAN}-01-" + "x" * 1000,
    ],
)
def test_one_that_is_malformed_counts_as_absent(text: str | None) -> None:
    assert parse_traceparent(text) is None


def test_a_step_is_of_the_same_trace_and_holds_until_its_end() -> None:
    first = new_trace()
    with within_trace(first):
        with within_trace(first.new_child()):
            present = present_trace()
            assert present is not None
            assert present.trace_id == first.trace_id
            assert present.span_id != first.span_id
        assert present_trace() == first
    assert present_trace() is None
