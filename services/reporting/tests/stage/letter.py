"""What letter 1742 set off, as the register publishes it: Quảng Trị in May 2021, event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from vonggac.events.inventory import (
    AgencyRole,
    AgencyV1,
    BlockedKind,
    BlockedReasonV1,
    CameraV1,
    ConnectionPlanV1,
    CoverageV1,
    CoverageVerdict,
    DeadlineV1,
    DirectiveV1,
    FacilityV1,
    FocalPointV1,
    InspectionV1,
    InstallationProposalV1,
    ObligationKind,
    ObligationStatus,
    ObligationV1,
    PlannedConnection,
    PlanStatus,
    ProposalStatus,
    SurveyStatus,
    SurveyV1,
)

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from vonggac.events import CloudEvent, Payload

HANOI = timezone(timedelta(hours=7))
DEADLINE = datetime(2021, 5, 10, tzinfo=HANOI)
"""The letter's: done is strictly before it."""
LAST = DEADLINE - timedelta(milliseconds=1)


def may(day: int, hour: float = 0) -> datetime:
    """An instant of May 2021 in the province."""
    return datetime(2021, 5, 1, tzinfo=HANOI) + timedelta(days=day - 1, hours=hour)


@dataclass
class Letter:
    """Events of the mandate. Everything a test does not care about is filled in."""

    province: Province
    directive_id: UUID = field(default_factory=uuid4)
    lead: UUID = field(default_factory=uuid4)
    begin: datetime = field(default_factory=lambda: may(1))

    def known(self, at: datetime | None = None, revision: int = 1) -> dict[str, Any]:
        changed = at or self.begin
        return {"revision": revision, "changed_at": changed, "created_at": changed, "changed_by": "lead"}

    def stated(self, noun: str, thing: Any) -> CloudEvent[Payload]:
        return self.province.stated(noun, thing)

    def base(self) -> list[CloudEvent[Payload]]:
        """Unit, agencies, the two centres and the directive; no facility."""
        events = [one for one in self.province.base() if not isinstance(one.data, FacilityV1)]
        agency = AgencyV1(
            id=self.lead, code="STTTT", name="Sở Thông tin và Truyền thông", role=AgencyRole.LEAD, **self.known()
        )
        directive = DirectiveV1(
            id=self.directive_id,
            code="1742-UBND-VX-2021",
            number="1742/UBND-VX",
            issuer_id=uuid4(),
            issued_on=date(2021, 5, 7),
            subject="Triển khai khảo sát, kết nối camera giám sát",
            **self.known(),
        )
        backdated = [self.backdated(one) for one in events]
        return [*backdated, self.stated("agency", agency), self.stated("directive", directive)]

    def backdated(self, event: CloudEvent[Payload]) -> CloudEvent[Payload]:
        """The same thing, of May 2021."""
        data = event.data.model_copy(update={"changed_at": self.begin, "created_at": self.begin})
        return self.stated(event.subject.partition("/")[0], data)

    def facility(self, code: str, at: datetime | None = None, **given: Any) -> FacilityV1:
        known = {"id": uuid4(), "code": code, "name": f"Cơ sở {code}", **self.known(at)}
        known.pop("changed_by")
        return self.province.facility_state(**(known | given))

    def camera(self, facility: FacilityV1, code: str, at: datetime | None = None, **given: Any) -> CameraV1:
        known = {"facility_id": facility.id, "area": "gate", **self.known(at)}
        return self.province.camera(code, **(known | given))

    def obligation(self, code: str, kind: str, **given: Any) -> ObligationV1:
        """Due before 10/5/2021, set on 07/5, unless a test says when."""
        due_before = given.pop("due_before", DEADLINE)
        entry = DeadlineV1(due_before=due_before, set_at=may(7, 9), set_by="lead", directive_id=self.directive_id)
        known: dict[str, Any] = {
            "id": uuid4(),
            "code": code,
            "name": f"Nghĩa vụ {code}",
            "kind": ObligationKind(kind),
            "directive_id": self.directive_id,
            "responsible_agency_id": self.lead,
            "status": ObligationStatus.OPEN,
            "due_before": due_before,
            "deadlines": (entry,),
            **self.known(may(7, 9)),
        }
        return ObligationV1(**(known | given))

    def survey(self, facility: FacilityV1, at: datetime, status: str = "approved", **given: Any) -> SurveyV1:
        known: dict[str, Any] = {
            "id": uuid4(),
            "code": f"KS-{facility.code}",
            "facility_id": facility.id,
            "status": SurveyStatus(status),
            "status_since": at,
            "approved_at": at if status == "approved" else None,
            **self.known(at),
        }
        return SurveyV1(**(known | given))

    def plan(self, facility: FacilityV1, at: datetime, status: str = "agreed", **given: Any) -> ConnectionPlanV1:
        """Of the cameras named by `cameras`, to both centres."""
        connections = tuple(
            PlannedConnection(
                camera_code=code,
                source="camera",
                stream="main",
                transport="tcp",
                bandwidth_kbps=4096,
                destination_codes=("D1", "D2"),
            )
            for code in given.pop("cameras", ())
        )
        known: dict[str, Any] = {
            "id": uuid4(),
            "code": f"PA-{facility.code}",
            "facility_id": facility.id,
            "version": 1,
            "status": PlanStatus(status),
            "status_since": at,
            "agreed_at": at if status == "agreed" else None,
            "connections": connections,
            **self.known(at),
        }
        return ConnectionPlanV1(**(known | given))

    def coverage(self, facility: FacilityV1, area: str, verdict: str, at: datetime, **given: Any) -> CoverageV1:
        known: dict[str, Any] = {"id": uuid4(), "facility_id": facility.id, "area": area, **self.known(at)}
        if verdict == "not_applicable":
            known["reason"] = "không có khu vực này"
        return CoverageV1(**(known | {"verdict": CoverageVerdict(verdict)} | given))

    def focal_point(self, facility: FacilityV1, since: date, until: date | None = None, **given: Any) -> FocalPointV1:
        known: dict[str, Any] = {
            "id": uuid4(),
            "facility_id": facility.id,
            "full_name": "Người Ví Dụ",
            "position": "Trưởng trạm",
            "phone": "0900000000",
            "email": "dau-moi@example.org",
            "valid_from": since,
            "valid_to": until,
            **self.known(),
        }
        return FocalPointV1(**(known | given))

    def blocked(self, facility: FacilityV1, since: date, until: date | None = None) -> BlockedReasonV1:
        return BlockedReasonV1(
            id=uuid4(),
            facility_id=facility.id,
            kind=BlockedKind.SECURITY_LOCK,
            valid_from=since,
            valid_to=until,
            **self.known(),
        )

    def proposal(self, facility: FacilityV1, at: datetime, status: str, **given: Any) -> InstallationProposalV1:
        known: dict[str, Any] = {
            "id": uuid4(),
            "code": f"DX-{facility.code}",
            "facility_id": facility.id,
            "status": ProposalStatus(status),
            "status_since": at,
            "cameras": 4,
            **self.known(at),
        }
        return InstallationProposalV1(**(known | given))

    def inspection(self, facility: FacilityV1, on: date, **given: Any) -> InspectionV1:
        known: dict[str, Any] = {
            "id": uuid4(),
            "facility_id": facility.id,
            "inspected_on": on,
            "agency_id": self.lead,
            "found": 2,
            "open_findings": 1,
            **self.known(datetime(on.year, on.month, on.day, 17, tzinfo=HANOI)),
        }
        return InspectionV1(**(known | given))

    def connected(self, camera: CameraV1, since: datetime, until: datetime) -> list[CloudEvent[Payload]]:
        """Up, and acknowledged at both centres, in [since, until), by workers that watched meanwhile."""
        events = [
            self.province.probe(camera, since, every_s=(until - since).total_seconds(), awake_since=self.begin),
            self.province.alive(until, awake_since=self.begin),
            self.province.prober_alive(until, awake_since=self.begin),
        ]
        for number, planned in enumerate(camera.deliveries, start=1):
            events += [
                self.province.change(planned, camera, 2 * number - 1, since, "acknowledged", held_since=since),
                self.province.change(planned, camera, 2 * number, until, "released", held_since=since),
            ]
        return events

    def later(self, thing: Any, at: datetime, **changes: Any) -> Any:
        """The next revision of a thing."""
        return thing.model_copy(update={"revision": thing.revision + 1, "changed_at": at, **changes})
