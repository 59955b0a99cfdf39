"""The second witness: the same seconds out of the same facts, in plain SQL with multiranges.

Written from the definitions alone (README.md of reporting, "What it says, and how"), as sets of time: it knows nothing
of runs, tails, pieces or any other thing that reporting makes of the facts, and shares no code.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from services.reporting.tests.witness.disputing import RULED, RULINGS, SUPPOSED
from services.reporting.tests.witness.proving import PROVEN
from services.reporting.tests.witness.seeing import PROBED, SEEN
from services.reporting.tests.witness.world import World

from vonggac.events import Payload

ALLOWANCE_MS = 15_000
"""What a heartbeat that does not say since when vouches for."""

_TABLES = """
create temporary table said (
    kind text, body jsonb, publisher text, number bigint, stored timestamptz, after boolean
) on commit drop;
create temporary table twice on commit drop as
    select cast(%(twice_from)s as timestamptz) as begins, cast(%(twice_to)s as timestamptz) as ends;
create temporary table agreed (camera_id uuid, facility_id uuid, created timestamptz, span tstzrange) on commit drop;
"""

# What is dated more than two seconds after it was stored is of that moment, and all of its times move with it.
_FACTS = """
create temporary table stated on commit drop as
    select kind, publisher, number, after, case when by is null then body else body || (
               select coalesce(jsonb_object_agg(key, to_jsonb((value #>> '{}')::timestamptz + by)), '{}')
               from jsonb_each(body) where value <> 'null' and key in (
                   'observed_at', 'alive_at', 'started_at', 'awake_since', 'held_since', 'last_acknowledged_at',
                   'first_changed_at', 'media_since', 'media_stopped_at', 'captured_at', 'still_since',
                   'still_until', 'picture_since', 'since', 'paused_since')
           ) end as body, coalesce(by, interval '0') as by
    from (
        select *, case when dated - stored > interval '2 s' then stored - dated end as by
        from (select *, coalesce(body->>'alive_at', body->>'observed_at')::timestamptz as dated from said) as one
    ) as stored_facts;

-- What is stored after the clock was set back, and dated in the time that it showed twice, is of nobody knows which of
-- two moments. Later facts say nothing of the time before its end.
create temporary table fact on commit drop as
    select kind, publisher, number, by, case
               when after and dated >= ends and coalesce(awake, case when kind in ('probe', 'read_back')
                   then dated - (body->>'duration_ms')::float * interval '1 ms' end) < ends
               then body || jsonb_build_object('awake_since', ends) else body end as body
    from (
        select *, coalesce(body->>'alive_at', body->>'observed_at')::timestamptz as dated,
               (body->>'awake_since')::timestamptz as awake
        from stated cross join twice
    ) as one
    where not after or dated is null or not (dated >= begins and dated < ends);
"""

# Everything below reads `fact` and `agreed` and the period and unit asked for.
_ASKED = """
create temporary table asked on commit drop as
    select tstzrange(cast(%(start)s as timestamptz), cast(%(end)s as timestamptz)) as period,
           cast(%(unit)s as uuid) as unit;
"""

_SCOPE = """
-- The register, revision by revision.
create temporary table version on commit drop as
    select kind, (body->>'id')::uuid as id, body, removed, tstzrange(
               case when lag(changed) over w is null then least(changed, created) else changed end,
               lead(changed) over w) as span,
           lag(changed) over w is null as first
    from (
        select case kind when 'removed' then body->>'noun' else kind end as kind, body, kind = 'removed' as removed,
               coalesce(body->>'changed_at', body->>'removed_at')::timestamptz as changed,
               (body->>'created_at')::timestamptz as created, (body->>'revision')::int as revision
        from fact where kind in ('facility', 'destination', 'camera', 'removed')
    ) as stated window w as (partition by kind, body->>'id' order by revision);
update version set span = tstzrange(null, upper(span)) where first and kind in ('facility', 'destination');

create temporary table stay on commit drop as
    select camera.id as camera, facility.id as facility, camera.body as plan, camera.span * facility.span as span,
           facility.body->>'status' not in ('planned', 'suspended', 'closed')
           and (facility.body->>'unit_id')::uuid = (select unit from asked)
           and (camera.body->>'enabled')::boolean as counted,
           (facility.body->>'unit_id')::uuid = (select unit from asked) as here
    from version as camera join version as facility
      on facility.kind = 'facility' and facility.id = (camera.body->>'facility_id')::uuid
    where camera.kind = 'camera' and not camera.removed and camera.span && facility.span;

-- A new camera is being connected: from the first delivery that a plan ever had for it until it is first found up. If
-- that is within half an hour, a wrong login and a frozen picture are nobody's fault; of any other, all is its own.
create temporary table connecting on commit drop as
    select begun.camera, range_agg(failed.claimed) * tstzmultirange(tstzrange(since, (
               select case when min(at) between since and since + interval '30 min' then min(at) else since end
               from observed where state = 'up' and observed.thing = begun.camera))) as span
    from (
        select id as camera, min(lower(span)) as since from version
        where kind = 'camera' and not removed and not isempty(span) and body->'deliveries' <> '[]' group by id
    ) as begun join observed as failed on failed.thing = begun.camera
    where failed.state = 'down' and failed.cause in ('auth_failed', 'frozen')
    group by begun.camera, since;

-- Time counts where the camera stood: before it existed at the place of its first revision, after it at its last.
create temporary table scope on commit drop as
    select camera, coalesce(range_agg(span) filter (where counted), '{}')
                   * tstzmultirange((select period from asked)) - coalesce((
                       select connecting.span from connecting where connecting.camera = place.camera), '{}') as counted,
           coalesce(range_agg(span) filter (where here), '{}') * tstzmultirange((select period from asked)) as here
    from (
        select camera, span, counted, here from stay
        union all
        select first.id, tstzrange(null, lower(first.span)) * facility.span, false,
               (facility.body->>'unit_id')::uuid = (select unit from asked)
        from (select distinct on (id) * from version where kind = 'camera' and not removed and not isempty(span)
              order by id, lower(span)) as first
          join version as facility
            on facility.kind = 'facility' and facility.id = (first.body->>'facility_id')::uuid
        union all
        select camera, tstzrange(upper(span), null), false, here
        from (select distinct on (camera) * from stay order by camera, upper(span) desc nulls first) as last
        where upper(span) is not null
    ) as place group by camera;

create temporary table maintained on commit drop as
    select camera, range_agg(span) as maintained from (
        select stay.camera, stay.span * agreed.span as span from stay join agreed
          on agreed.camera_id = stay.camera or agreed.facility_id = stay.facility
        where lower(agreed.span) > agreed.created and stay.span && agreed.span
    ) as one group by camera;

-- What was demanded of each delivery.
create temporary table demand on commit drop as
    select stay.camera, (planned->>'id')::uuid as delivery, destination.body->>'role' as role,
           destination.body->>'required_proof' as proof, stay.span * destination.span as span
    from stay cross join jsonb_array_elements(stay.plan->'deliveries') as planned
    join version as destination
      on destination.kind = 'destination' and destination.id = (planned->>'destination_id')::uuid
    where stay.span && destination.span and (planned->>'enabled')::boolean
      and (destination.body->>'enabled')::boolean;

-- What forwarders claimed: each state until the same worker's next, within the life in which it was seen. What is not
-- connected after what was began with the last media that was confirmed; a report of several changes ends what was
-- before it at the first of them, and says nothing of the time until its state.
create temporary table claim on commit drop as
    select delivery, worker, held, sequence, state, cause,
           case when ends < begins then 'empty' else tstzrange(begins, ends) end * coalesce(
               (select life from forwarding where forwarding.worker = begun.worker and life @> at), 'empty') as span
    from (
        select *, least(lead(begins) over w, lead(coalesce(left_at, at)) over w) as ends
        from (
            select *, case
                   when state in ('acknowledged', 'verified', 'released') then at
                   when lag(state) over w in ('acknowledged', 'verified')
                   then greatest(lag(at) over w, least(coalesce(confirmed, left_at, at), at))
                   when left_at is not null then greatest(lag(at) over w, least(greatest(left_at, confirmed), at))
                   else at end as begins
            from (
                select (body->>'delivery_id')::uuid as delivery, body->>'worker_id' as worker,
                       least((body->>'held_since')::timestamptz, (body->>'observed_at')::timestamptz) as held,
                       (body->>'sequence')::bigint as sequence,
                       body->>'state' as state, coalesce(body->>'cause', 'none') as cause,
                       (body->>'observed_at')::timestamptz as at,
                       (body->>'last_acknowledged_at')::timestamptz as confirmed,
                       case when (body->>'changes')::int > 1 then least((body->>'first_changed_at')::timestamptz,
                           (body->>'observed_at')::timestamptz) end as left_at
                from (select distinct body from fact where kind = 'change') as said
            ) as read window w as (partition by delivery, worker order by sequence)
        ) as dated window w as (partition by delivery, worker order by sequence)
    ) as begun;
delete from claim where state = 'released' or isempty(span);
create temporary table stood on commit drop as
    select delivery, state, cause, tstzmultirange(span) - coalesce((
               select range_agg(other.span) from claim as other where other.delivery = claim.delivery
               and (other.held, other.worker collate "C", other.sequence)
                   > (claim.held, claim.worker collate "C", claim.sequence)
           ), '{}') as span
    from claim;

-- Connected and not connected, by cause, while it was demanded, the camera in scope and nothing agreed.
create temporary table counted on commit drop as
    select scope.camera, scope.counted - coalesce(maintained, '{}') as counted, scope.counted as in_scope, here,
           scope.counted * coalesce(maintained, '{}') as maintained
    from scope left join maintained using (camera);
create temporary table evidence on commit drop as
    select demand.camera, demand.delivery, demand.role, what, cause, span * counted.counted as span from (
        select demand.*, 'yes' as what, null as cause, stood.span * tstzmultirange(demand.span) * case demand.proof
                   when 'verified' then coalesce((select range_agg(proven.span) from proven
                       where proven.delivery = demand.delivery and proven.what = 'matches'), '{}')
                   else '{(,)}' - coalesce((select range_agg(proven.span) from proven
                       where proven.delivery = demand.delivery and proven.what = 'differs'), '{}') end as held
        from demand join stood using (delivery) where stood.state in ('verified', 'acknowledged', 'mismatch')
        union all
        select demand.*, 'no', stood.cause, stood.span * tstzmultirange(demand.span)
        from demand join stood using (delivery) where stood.state not in ('verified', 'acknowledged', 'mismatch')
        union all
        select demand.*, 'no', proven.cause, stood.span * tstzmultirange(demand.span) * proven.span
        from demand join stood using (delivery) join proven using (delivery)
        where stood.state in ('verified', 'acknowledged', 'mismatch')
              and (proven.what = 'differs' or (proven.what = 'unreachable' and demand.proof = 'verified'))
    ) as demand (camera, delivery, role, proof, demanded, what, cause, span) join counted using (camera);

create temporary table role on commit drop as
    select camera, role,
           -- Every delivery demanded of the role is connected, and there is one.
           counted.counted * coalesce(demanded, '{}') - coalesce(missing, '{}') as yes,
           counted.counted - coalesce(demanded, '{}') + coalesce(refused, '{}') as no
    from counted cross join (values ('national'), ('provincial')) as roles (role)
    left join lateral (
        select range_agg(demand.span) as demanded,
               (select range_agg(gap) from (
                    select tstzmultirange(one.span) - coalesce((
                        select range_agg(evidence.span) from evidence where what = 'yes'
                        and evidence.camera = one.camera and evidence.delivery = one.delivery
                        and evidence.role = one.role), '{}') as gap
                    from demand as one where one.camera = counted.camera and one.role = roles.role
                ) as gaps) as missing,
               (select range_agg(evidence.span) from evidence
                where what = 'no' and evidence.camera = counted.camera and evidence.role = roles.role) as refused
        from demand where demand.camera = counted.camera and demand.role = roles.role
    ) as of_role on true;
"""

_LENGTH = """
create or replace function pg_temp.ms(spans tstzmultirange) returns bigint language sql as $$
    select coalesce(sum(round(extract(epoch from upper(span) - lower(span)) * 1000)), 0)::bigint
    from unnest(spans) as span
$$;
"""

_CAMERAS = """
    select camera::text,
           pg_temp.ms(here) as period,
           pg_temp.ms(counted * coalesce(up, '{}')) as up,
           pg_temp.ms(counted * coalesce(down, '{}')) as down,
           pg_temp.ms(maintained) as maintenance,
           pg_temp.ms(counted - coalesce(up, '{}') - coalesce(down, '{}')) as unknown,
           pg_temp.ms(here - in_scope) as out_of_scope,
           pg_temp.ms(counted * coalesce(up, '{}') * national.yes * provincial.yes) as compliant,
           pg_temp.ms(counted * (coalesce(down, '{}') + national.no + provincial.no)) as non_compliant,
           pg_temp.ms(counted - coalesce(up, '{}') * national.yes * provincial.yes
                      - coalesce(down, '{}') - national.no - provincial.no) as compliance_unknown,
           pg_temp.ms(national.yes * provincial.yes) as both,
           pg_temp.ms(national.yes * provincial.no) as national_only,
           pg_temp.ms(national.no * provincial.yes) as provincial_only,
           pg_temp.ms(national.no * provincial.no) as neither,
           pg_temp.ms(counted - (national.yes + national.no) * (provincial.yes + provincial.no)) as connection_unknown
    from counted cross join asked
    join role as national using (camera) join role as provincial using (camera)
    left join seen using (camera)
    where national.role = 'national' and provincial.role = 'provincial'
"""

_DELIVERIES = """
    select delivery::text, pg_temp.ms(yes) as connected, pg_temp.ms(no) as not_connected,
           pg_temp.ms(demanded * maintained) as maintenance,
           pg_temp.ms(demanded * counted - yes - no) as unknown,
           pg_temp.ms(here - demanded * in_scope) as out_of_scope
    from (
        select camera, delivery, range_agg(span) as demanded,
               coalesce((select range_agg(span) from evidence where what = 'yes'
                         and evidence.delivery = demand.delivery), '{}') as yes,
               coalesce((select range_agg(span) from evidence where what = 'no'
                         and evidence.delivery = demand.delivery), '{}') as no
        from demand group by camera, delivery
    ) as one join counted using (camera) cross join asked
"""

_BY_CAUSE = """
    select delivery::text, cause, pg_temp.ms(range_agg(span)) from evidence
    where what = 'no' group by delivery, cause
"""

_KINDS = {
    "prober_alive": "ProberAliveV1",
    "forwarder_alive": "ForwarderAliveV1",
    "probe": "CameraObservedV1",
    "read_back": "DeliveryVerifiedV1",
    "change": "DeliveryObservedV1",
    "media": "CameraMediaObservedV1",
    "facility": "FacilityV1",
    "destination": "DestinationV1",
    "camera": "CameraV1",
    "removed": "RemovedV1",
}
_KIND = {name: kind for kind, name in _KINDS.items()}

type Sums = dict[str, int]


def account(
    connection: psycopg.Connection[Any], world: World
) -> tuple[dict[str, Sums], dict[str, Sums], dict[str, Sums]]:
    """Milliseconds of each camera and of each delivery by name, and of each delivery by cause. Commits nothing."""
    facts: list[Payload] = [*world.register, *world.facts]
    start, end = world.period
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        shown: dict[str, datetime | None] = {"twice_from": None, "twice_to": None}
        if world.twice is not None:
            shown = {"twice_from": _at(world.twice[0]), "twice_to": _at(world.twice[1])}
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                cursor.execute(statement.encode(), shown if "%(" in statement else None)
        with cursor.copy("copy said from stdin") as copy:
            for fact in facts:
                if (kind := _KIND.get(type(fact).__name__)) is not None:
                    number, at = world.numbers.get(id(fact), (None, None)), world.stored.get(id(fact))
                    after = id(fact) in world.after
                    copy.write_row((kind, fact.model_dump_json(), *number, None if at is None else _at(at), after))
        for window in world.windows:
            cursor.execute(
                "insert into agreed select %(camera_id)s, %(facility_id)s, %(agreed_at)s, "
                "tstzrange(%(starts_at)s, %(ends_at)s)",
                window.model_dump(),
            )
        given = {"start": _at(start), "end": _at(end), "unit": world.unit, "allowance": ALLOWANCE_MS}
        for statement in f"{_FACTS}{_ASKED}{RULINGS}{PROBED}{SUPPOSED}{SEEN}{RULED}{PROVEN}{_SCOPE}".split(";\n"):
            if statement.strip():
                cursor.execute(statement.encode(), given if "%(" in statement else None)
        cursor.execute(_LENGTH.encode())
        cameras, deliveries = _named(cursor, _CAMERAS), _named(cursor, _DELIVERIES)
        causes: dict[str, Sums] = {}
        for delivery, cause, length in cursor.execute(_BY_CAUSE.encode()).fetchall():
            if length:
                causes.setdefault(delivery, {})[cause] = length
    return cameras, deliveries, causes


def _named(cursor: psycopg.Cursor[Any], query: str) -> dict[str, Sums]:
    rows = cursor.execute(query.encode()).fetchall()
    assert cursor.description is not None
    names = [column.name for column in cursor.description][1:]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def _at(instant: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)
