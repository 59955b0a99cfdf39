"""How old a page's figures are, link by link: browser ← console ← reporting ← workers; the newest fact and proof.

The console says how old each link was when it spoke; the browser adds what has passed since by its own clock.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from console.apis.caller import Answer, Found

STALE_S = 10.0
"""A link that has been silent for longer is cut, and every figure says so."""


class Ages(NamedTuple):
    """Seconds; None: not known."""

    reporting: float | None
    """Console ← reporting: since the account of the present was last known to hold."""
    workers: float | None
    """Reporting ← workers: since the last sign of life of either kind, whichever has been silent for longer."""
    fact: float | None
    """Since the newest fact of a camera or a delivery."""
    proof: float | None
    """Since the newest read-back that matched: then a centre played the same picture."""

    def to_data(self) -> dict[str, float | None]:
        return self._asdict()


def ages_of(answer: Answer) -> Ages:
    """Of `/v1/freshness`; without it nothing is known."""
    if not isinstance(answer, Found):
        return Ages(None, None, None, None)
    body: dict[str, Any] = answer.body
    newest: dict[str, float] = {}
    for worker in body["workers"]:
        if (age := worker["age_s"]) is not None:
            newest[worker["kind"]] = min(age, newest.get(worker["kind"], age))
    return Ages(
        reporting=body["present"]["age_s"],
        workers=max(newest.values(), default=None),
        fact=body["newest_fact_age_s"],
        proof=body.get("newest_proof_age_s"),
    )


def age_of_account(answers: Iterable[Answer], now_s: float) -> float | None:
    """Of what is on the page, where reporting gives no ages: by its own moment, the oldest; None without an account."""
    moments = [answer.body.get("as_of") for answer in answers if isinstance(answer, Found)]
    ages = [now_s - datetime.fromisoformat(moment).timestamp() for moment in moments if moment]
    return max(0.0, max(ages)) if ages else None
