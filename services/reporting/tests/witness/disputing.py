"""Recordings in a loop, and what people say of them: disputed, decided, over; and how the second witness counts that.

It counts each such camera three times: as it was found, as if the finding stood, as if nobody had made it. What people
say picks one of the last two; while nobody has decided, what both agree on.
"""

import random
from datetime import datetime
from uuid import UUID

from services.reporting.tests.witness.world import MINUTE, SECOND, World

from reporting.domain.instants import moment
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CameraMediaObservedV1
from vonggac.events.prober import CameraObservedV1, DisputeDecision, RepetitionDispute, Verdict

RULINGS = """
-- What people said of cameras that repeat: probes carry it, and some know less. A later word ends the one before it.
create temporary table ruling on commit drop as
    select camera, ruling, tstzrange(begins, ends) as span from (
        select camera, disputed, least(decided, over) as settled, over, verdict from (
            select *, least(ended, lead(disputed) over (partition by camera order by disputed)) as over from (
                select (body->>'camera_id')::uuid as camera, (body->'dispute'->>'disputed_at')::timestamptz as disputed,
                       min((body->'dispute'->>'decided_at')::timestamptz) as decided,
                       min(body->'dispute'->>'decision') as verdict,
                       min((body->'dispute'->>'ended_at')::timestamptz) as ended
                from fact where kind = 'probe' and body->>'dispute' is not null group by 1, 2
            ) as known
        ) as bounded
    ) as said cross join lateral (values
        ('disputed', disputed, settled), (coalesce(verdict, 'none'), settled, over)
    ) as piece (ruling, begins, ends)
    where ruling <> 'none' and (ends is null or begins < ends);
create temporary table supposed on commit drop as
    select distinct camera, stands, md5(camera::text || stands)::uuid as id
    from ruling cross join (values ('confirmed'), ('refused')) as one (stands);
insert into fact (kind, body)
    select kind, body || jsonb_build_object('camera_id', id) || case when stands = 'confirmed' then '{}' else
               case body->>'still_cause' when 'repeats'
                    then '{"still_since": null, "still_until": null, "still_cause": null}' else '{}' end::jsonb
               || case body->>'picture_cause' when 'repeats' then '{"picture_cause": null}' else '{}' end::jsonb end
    from fact join supposed on camera = (body->>'camera_id')::uuid where kind = 'media';
"""

SUPPOSED = """
insert into found (camera, state, cause, own, span, first_at, last_at)
    select id, case when repeats and stands = 'refused' then 'up' when repeats then 'down' else state end,
           case when repeats and stands = 'refused' then null else cause end,
           own or (repeats and stands = 'refused'), span, first_at, last_at
    from (select *, state <> 'up' and cause is not distinct from 'repeats' as repeats from found) as made
    join supposed using (camera);
"""

RULED = """
update seen set up = seen.up - spans + now_up, down = seen.down - spans + now_down from (
    select said.camera, range_agg(span) as spans,
           range_agg(span * case ruling when 'confirmed' then coalesce(stands.up, '{}')
               when 'refused' then coalesce(falls.up, '{}') else stands.up * falls.up end) as now_up,
           range_agg(span * case ruling when 'confirmed' then coalesce(stands.down, '{}')
               when 'refused' then coalesce(falls.down, '{}') else stands.down * falls.down end) as now_down
    from (select camera, ruling, range_agg(span) as span from ruling group by 1, 2) as said
    left join seen as stands on stands.camera = md5(said.camera::text || 'confirmed')::uuid
    left join seen as falls on falls.camera = md5(said.camera::text || 'refused')::uuid
    group by 1
) as ruled where ruled.camera = seen.camera;
"""


def add_dispute(made: World, camera_id: UUID) -> None:
    """The camera shows a recording now and then, and people say of it what they like; probes carry what is said."""
    chance = made.chance
    said: list[RepetitionDispute] = []
    for disputed_at in sorted(made.some_time() for _ in range(chance.choice([1, 1, 2]))):
        decided_at = disputed_at + chance.choice([1, 20 * SECOND, chance.randrange(10 * MINUTE)])
        ended_at = disputed_at + chance.choice([20 * SECOND, 1 + chance.randrange(20 * MINUTE)])
        is_decided = chance.random() < 0.7
        said.append(
            RepetitionDispute(
                disputed_at=moment(disputed_at),
                decided_at=moment(decided_at) if is_decided else None,
                decision=chance.choice(list(DisputeDecision)) if is_decided else None,
                ended_at=moment(ended_at) if chance.random() < 0.6 else None,
            )
        )
    loops = dict[datetime, bool]()
    for number, fact in enumerate(made.facts):
        if isinstance(fact, CameraObservedV1) and fact.camera_id == camera_id:
            made.facts[number] = _probed(chance, fact, said)
        elif isinstance(fact, CameraMediaObservedV1) and fact.camera_id == camera_id:
            made.facts[number] = _reported(chance, fact, loops)


def _probed(chance: random.Random, fact: CameraObservedV1, said: list[RepetitionDispute]) -> CameraObservedV1:
    update: dict[str, object] = {}
    if fact.verdict is not Verdict.UP and chance.random() < 0.6:
        update["cause"] = Cause.REPEATS
    before = [one for one in said if one.disputed_at <= fact.observed_at]
    if before:
        update["dispute"] = _heard_of(before[-1], fact.observed_at)
    return fact.model_copy(update=update)


def _heard_of(dispute: RepetitionDispute, at: datetime) -> RepetitionDispute:
    """What a probe knows of it at `at`."""
    update: dict[str, object] = {}
    if dispute.decided_at is not None and dispute.decided_at > at:
        update |= {"decided_at": None, "decision": None}
    if dispute.ended_at is not None and dispute.ended_at > at:
        update["ended_at"] = None
    return dispute.model_copy(update=update)


def _reported(chance: random.Random, fact: CameraMediaObservedV1, loops: dict[datetime, bool]) -> CameraMediaObservedV1:
    update: dict[str, object] = {}
    if fact.still_since is not None and loops.setdefault(fact.still_since, chance.random() < 0.7):
        update["still_cause"] = Cause.REPEATS
    if fact.picture_cause is not None and chance.random() < 0.5:
        update["picture_cause"] = Cause.REPEATS
    return fact.model_copy(update=update)
