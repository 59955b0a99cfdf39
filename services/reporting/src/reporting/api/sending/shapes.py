"""What the routes of urging take and show."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from reporting.api.parameters import GivenLocally
from reporting.api.sending.addresses import Shown
from reporting.urging.channels import EXAMPLES, ChannelKind
from reporting.urging.decision import Party, UrgingTopic
from reporting.urging.urger import LONGEST_HOURS
from vonggac.events.inventory import ObligationKind
from vonggac.http.protection.texts import VisibleText

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


def _clock_time(given: str) -> str:
    if not _CLOCK.fullmatch(given):
        msg = "write a time of day like 22:00"
        raise ValueError(msg)
    return given


Name = Annotated[VisibleText, Field(min_length=1, max_length=200)]
Hours = Annotated[int, Field(ge=0, le=LONGEST_HOURS)]
ClockTime = Annotated[str, AfterValidator(_clock_time), Field(max_length=5, examples=["22:00"])]


class UrgingRuleFields(BaseModel):
    """Who is urged, about what, when, how often and by which channel."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    about: UrgingTopic
    party: Party = Field(
        description="`responsible`: the agency that the obligation names; `managing`: the facility's; `agency`: one; "
        "`peoples_committee`: the one that the register has on the day."
    )
    agency_id: UUID | None = Field(default=None, description="The party, with `agency` and with nothing else.")
    level: Annotated[int, Field(ge=1, le=3, description="1 notice, 2 draft of a letter, 3 people's committee.")]
    hours: Hours = Field(description="Overdue or down for at least so many hours; of `due_soon`: due within so many.")
    every_hours: Annotated[int, Field(ge=1, le=LONGEST_HOURS, description="Not again within so many hours.")]
    after_answer_hours: Hours = Field(default=0, description="Nor within so many hours of an answer.")
    quiet_from: ClockTime | None = Field(default=None, description="Asia/Ho_Chi_Minh; nobody is urged from then on.")
    quiet_to: ClockTime | None = Field(default=None, description="Up to then; before quiet_from: of the next day.")
    channel_kinds: Annotated[list[ChannelKind], Field(max_length=2)] = Field(
        default=[], description="The party's channels of these kinds; none: the log alone."
    )
    obligation_kinds: Annotated[
        list[ObligationKind | Literal["obstruction", "centre_not_asking"]], Field(max_length=20)
    ] = Field(
        default=[],
        description="Only these obligations, what obstructs a facility (`obstruction`), or a centre that pulls and "
        "has not asked for an hour (`centre_not_asking`); none: all.",
    )
    enabled: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.party is Party.AGENCY) != (self.agency_id is not None):
            msg = "party `agency` needs agency_id, and the others have none"
            raise ValueError(msg)
        if self.about is UrgingTopic.OUTAGE and self.party is Party.RESPONSIBLE:
            msg = "an outage has no responsible agency: urge `managing` or one `agency`"
            raise ValueError(msg)
        if self.about is UrgingTopic.OUTAGE and self.obligation_kinds:
            msg = "obligation_kinds say nothing of an outage: leave them out"
            raise ValueError(msg)
        if (self.quiet_from is None) != (self.quiet_to is None) or (
            self.quiet_from is not None and self.quiet_from == self.quiet_to
        ):
            msg = "quiet hours need quiet_from and quiet_to, which differ"
            raise ValueError(msg)
        return self

    def columns(self) -> dict[str, Any]:
        """As they are stored."""
        return self.model_dump(mode="python") | {
            "about": self.about.value,
            "party": self.party.value,
            "channel_kinds": [one.value for one in self.channel_kinds],
            "obligation_kinds": [str(one) for one in self.obligation_kinds],
        }


class UrgingRule(UrgingRuleFields):
    """A rule."""

    id: UUID
    revision: int
    created_at: Shown
    created_by: str
    changed_at: Shown
    changed_by: str


class NewUrgingChannel(BaseModel):
    """A way to reach one agency. The address is a secret: it is kept sealed and never shown."""

    model_config = ConfigDict(extra="forbid")

    agency_id: UUID
    name: Name = Field(description="What tells it from others, without the address.", examples=["Văn thư Sở Y tế"])
    kind: ChannelKind
    address: SecretStr = Field(
        min_length=8, max_length=1000, description="As Apprise has it.", examples=list(EXAMPLES.values())
    )
    enabled: bool = True


class UrgingChannelChange(BaseModel):
    """What shall be otherwise; what is left out stays. The kind stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    address: SecretStr | None = Field(default=None, min_length=8, max_length=1000)
    enabled: bool | None = None


class UrgingChannel(BaseModel):
    """A channel without its address."""

    id: UUID
    revision: int
    agency_id: UUID
    name: str
    kind: ChannelKind
    enabled: bool
    created_at: Shown
    created_by: str
    changed_at: Shown
    changed_by: str


class ItemResponse(BaseModel):
    """One thing that a party was urged about, as it stood then."""

    outage: bool
    since: Shown = Field(description="Its deadline, or when the outage began.")
    kind: str | None = Field(description="Of the obligation.")
    code: str
    title: str
    facility_code: str | None
    facility_name: str | None
    responsible_name: str | None = Field(description="The agency that owes it.")
    directive: str | None = Field(description="The document that orders it, cited in full.")


class SendingResponse(BaseModel):
    """How it went through one channel."""

    channel_id: UUID
    channel_name: str
    channel_kind: ChannelKind
    state: str = Field(description="pending, sent or failed.")
    attempts: int
    outcome: str | None = Field(
        description="Of the last attempt: sent, sent_in_part (some recipients have it, the others were refused), "
        "failed, timeout, dns, address_not_allowed or address_unreadable."
    )
    sent_at: Shown | None
    next_attempt_at: Shown | None = Field(description="null unless it is pending.")


class NewAnswer(BaseModel):
    """What a party answered."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[VisibleText, Field(min_length=1, max_length=4000)]
    answered_at: GivenLocally | None = Field(default=None, description="Default: now; never in the future.")
    document: Annotated[VisibleText, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Number of the letter that answers.", examples=["15/SYT-NVY"]
    )
    document_day: date | None = Field(default=None, description="Day on that letter.", examples=["2021-05-08"])
    document_file: Annotated[VisibleText, Field(min_length=1, max_length=300)] | None = Field(
        default=None, description="Where the signed letter is kept.", examples=["van-thu/2021/15-SYT-NVY.pdf"]
    )
    promised_by: GivenLocally | None = Field(default=None, description="Before when the party promises it.")


class AnswerResponse(BaseModel):
    """An answer as it was recorded."""

    id: UUID
    answered_at: Shown
    text: str
    document: str | None
    document_day: date | None
    document_file: str | None
    promised_by: Shown | None
    recorded_at: Shown
    recorded_by: str
    facility_id: UUID | None = Field(description="The facility that answers by its link; null: the party.")
    facility_name: str | None
    own_word: bool = Field(description="False: somebody else recorded it, by its document.")
    recorded: str | None = Field(description="Of somebody else's word: 'recorded by …'; null: the party's own word.")
    recorded_vi: str | None = Field(description="The same in Vietnamese: 'ghi nhận bởi …'.")


class DigestResponse(BaseModel):
    """Whom the rules would urge now."""

    agency_id: UUID
    level: int
    rule_ids: list[UUID]
    channel_kinds: list[ChannelKind]
    items: list[ItemResponse]


class DueDigests(BaseModel):
    """A preview: nothing is sent."""

    at: Shown
    items: list[DigestResponse]


class UrgeResponse(BaseModel):
    """Who was urged, when, about what, how and with which outcome, and what they answered."""

    id: UUID
    agency_id: UUID
    agency_code: str | None
    agency_name: str | None
    level: int
    rule_ids: list[UUID]
    urged_at: Shown
    decided_by: str = Field(description="`rules`, or the subject of the token that urged by hand.")
    reason: str | None = Field(description="Why somebody urged by hand; null of rules.")
    items: list[ItemResponse]
    sendings: list[SendingResponse] = Field(description="Empty: in the log alone.")
    answers: list[AnswerResponse]


class ByHand(BaseModel):
    """Urges one party now, about its overdue obligations and the outages of its facilities."""

    model_config = ConfigDict(extra="forbid")

    agency_id: UUID
    level: Annotated[int, Field(ge=1, le=3)]
    reason: Annotated[VisibleText, Field(min_length=1, max_length=500)] = Field(
        description="Why; it stands in the log.", examples=["Chuẩn bị họp Ban Chỉ đạo"]
    )
    channel_kinds: Annotated[list[ChannelKind], Field(max_length=2)] = list(ChannelKind)
    facility_id: UUID | None = Field(
        default=None, description="About this facility alone; left out: about all that the party is to see to."
    )
    again: bool = Field(default=False, description="Also when the party was urged within the last hour.")
