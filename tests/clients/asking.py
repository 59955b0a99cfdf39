"""Cases that are drawn and asked until their time is over."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest import SkipTest

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

# What is sent as a signed paper is bytes, as any other file.
schemathesis.serializer.alias("application/pdf", "application/octet-stream")


class _TimeIsUpError(SkipTest):
    """Hypothesis lets it through at once, in place of drawing the other cases, which nobody would ask."""


def ask_cases(cases: Any, ask: Callable[[Any], None], *, number: int, examples: int, seconds: float) -> None:
    """Ask `examples` of the cases, drawn from the seed `number`, or as many as are asked in `seconds`: one at least."""
    began = time.monotonic()

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask_each(case: Any) -> None:
        case.headers.pop("Authorization", None)
        ask(case)
        if time.monotonic() - began >= seconds:
            raise _TimeIsUpError("its time is over")

    with suppress(_TimeIsUpError):
        ask_each()
