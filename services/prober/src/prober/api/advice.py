"""What to do about a cause, as the API shows it."""

from pydantic import BaseModel, Field

from vonggac.events import Cause
from vonggac.events.advice import ADVICE


class AdviceShown(BaseModel):
    """One line in each language."""

    vi: str = Field(description="Tiếng Việt.")
    en: str

    @classmethod
    def on(cls, cause: Cause | None) -> "AdviceShown | None":
        """None when there is no cause."""
        if cause is None:
            return None
        advice = ADVICE[cause]
        return cls(vi=advice.vi, en=advice.en)
