"""Strips: how the cameras of a scope and their deliveries stood, moment by moment, by the accounts of every report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.outages import accounted
from reporting.domain.partition import DeliveryKind, Seen
from reporting.domain.scope import Camera, Delivery
from reporting.domain.segments import Segment
from reporting.reports.accounts import Evidence, Material, Question, each_portion, history_of
from reporting.storage import history, plan


class Strip(NamedTuple):
    """One camera: its states, and of each delivery what its time counts for. All fill the period without gaps."""

    camera: Camera
    states: Sequence[Segment[Seen]]
    deliveries: Sequence[tuple[Delivery, Sequence[Segment[DeliveryKind]]]]


async def load_strips(session: AsyncSession, question: Question, places: plan.Places) -> list[Strip]:
    """In the order of the facilities, then of the cameras' codes. `places`: of the question's period."""
    cameras = await plan.cameras(session, places)
    return [strip async for made in each_portion(session, question, cameras, _strip, list) for strip in made]


def _strip(
    material: Material, camera: Camera, seen: Sequence[Segment[Seen]], evidence: Mapping[str, Evidence]
) -> Strip:
    agreed = history.maintenance_of(material.windows, camera)
    moments = history_of(material, camera, seen, evidence).moments
    deliveries = [
        (planned, _joined((start, end, kinds.deliveries[number]) for start, end, kinds in moments))
        for number, planned in enumerate(camera.deliveries)
    ]
    return Strip(camera, accounted(material.question.period, seen, agreed, camera.absences), deliveries)


def _joined(pieces: Iterable[tuple[int, int, DeliveryKind]]) -> list[Segment[DeliveryKind]]:
    found: list[Segment[DeliveryKind]] = []
    for start, end, kind in pieces:
        if found and found[-1].value == kind:
            found[-1] = Segment(found[-1].start, end, kind)
        else:
            found.append(Segment(start, end, kind))
    return found
