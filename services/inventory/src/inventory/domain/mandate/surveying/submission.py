"""A submission from the field: it carries its own id, is taken once, and waits for the contents it declares."""

import hashlib
import json
from typing import Annotated

from pydantic import Field

from inventory.domain.mandate.surveying.form import SurveyForm, Text
from inventory.domain.mandate.surveying.survey import Findings, Guard
from vonggac.events.inventory import SurveyStatus, SurveyVerdict

TAKEN_IN = frozenset({SurveyStatus.IN_PROGRESS, SurveyStatus.RETURNED})
"""States in which a survey takes a submission."""
FROM_THE_FORM = (Guard.FORM_COMPLETE, Guard.VERDICT_GIVEN, Guard.PARTICIPANTS_NAMED)
"""What a submission itself must meet; its attachments may come later."""


class Submission(Findings):
    """The findings as they are sent from the field: complete, but for the contents of the attachments."""

    form: SurveyForm
    verdict: SurveyVerdict
    verdict_reason: Annotated[Text, Field(description="Why (R20).")]

    def digest(self) -> str:
        """SHA-256 of what was sent; equal for equal content, whatever the spelling of the JSON."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()
