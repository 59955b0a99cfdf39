"""What nobody sees in a text of a request is refused."""

from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError

from reporting.api.mandate.calendar_feeds import NewFeed
from reporting.api.sending.shapes import NewAnswer, NewUrgingChannel
from reporting.api.sending.webhooks import NewWebhook

MODELS: list[tuple[type[BaseModel], str, dict[str, object]]] = [
    (NewWebhook, "name", {"url": "https://10.20.0.5/hooks"}),
    (NewAnswer, "text", {}),
    (NewFeed, "name", {}),
    (
        NewUrgingChannel,
        "name",
        {"agency_id": uuid4(), "kind": "json", "address": "jsons://10.20.0.5/urging"},
    ),
]


@pytest.mark.parametrize(("model", "field", "rest"), MODELS, ids=[model.__name__ for model, _, _ in MODELS])
def test_a_text_that_is_not_seen_is_refused(model: type[BaseModel], field: str, rest: dict[str, object]) -> None:
    for text in ("\u200b\u200b", "Sở\u202eẾT Y", "a\0b", "\U000e0041", "\u3164", " \u3000 "):
        with pytest.raises(ValidationError, match=r"invisible|blank|at least 1"):
            model(**{field: text}, **rest)
    assert getattr(model(**{field: "Sở Y tế\n"}, **rest), field) == "Sở Y tế"
