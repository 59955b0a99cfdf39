"""The second witness: the same seconds out of the same facts, in plain SQL with multiranges.

Written from the definitions alone (README.md of reporting, "What it says, and how"), as sets of time: it knows nothing
of runs, tails, pieces or any other thing that reporting makes of the facts, and shares no code.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from services.reporting.tests.witness.world import World

from vonggac.events import Payload

ALLOWANCE_MS = 15_000
"""What a heartbeat that does not say since when vouches for."""

_TABLES = """
create temporary table fact (kind text, body jsonb) on commit drop;
create temporary table agreed (camera_id uuid, facility_id uuid, created timestamptz, span tstzrange) on commit drop;
"""

# Everything below reads `fact` and `agreed` and the period and unit asked for.
_DEFINITIONS = """
create temporary table asked on commit drop as
    select tstzrange(cast(%(start)s as timestamptz), cast(%(end)s as timestamptz)) as period,
           cast(%(unit)s as uuid) as unit;

-- When each worker watched: from the time since which it is awake to its sign of life.
create temporary table watch on commit drop as
    select body->>'worker_id' as worker, kind, range_agg(tstzrange(
        least(coalesce((body->>'awake_since')::timestamptz, at - %(allowance)s * interval '1 ms'), at), at)) as lives
    from (
        select case kind when 'prober_alive' then 'prober' when 'probe' then 'prober' else 'forwarder' end as kind,
               body, coalesce(body->>'alive_at', body->>'observed_at')::timestamptz as at
        from fact where kind in ('prober_alive', 'forwarder_alive', 'probe')
    ) as sign group by 1, 2;

-- When at least one prober watched, life by life.
create temporary table probing on commit drop as
    select unnest(range_agg(life)) as life from (select unnest(lives) as life from watch where kind = 'prober') as one;
create temporary table forwarding on commit drop as
    select worker, unnest(lives) as life from watch where kind = 'forwarder';

-- Probes and read-backs: a failure is dated to its beginning; of two in one moment the worse counts; each holds until
-- the next, at most two intervals, and no longer than the life of the probers in which it was made.
create temporary table observed on commit drop as
    select thing, at, state, cause, own, interval_s, awake, tstzrange(at, least(
               at + 2 * round(interval_s * 1000) * interval '1 ms', lead(at) over (partition by kind, thing order by at)
           )) * coalesce((select life from probing where life @> at), 'empty') as span, kind
    from (
        select distinct on (kind, thing, at) * from (
            select kind, thing, state, cause, own, interval_s, awake,
                   case state when 'down' then greatest(seen - duration, awake) else seen end as at
            from (
                select kind,
                       (case kind when 'probe' then body->>'camera_id' else body->>'delivery_id' end)::uuid as thing,
                       case body->>'verdict' when 'verified' then 'up' when 'mismatch' then 'down'
                           when 'unreachable' then 'down' when 'not_checkable' then 'unknown' else body->>'verdict' end
                           as state,
                       case body->>'verdict' when 'mismatch' then coalesce(body->>'cause', 'mismatch')
                           when 'up' then null when 'unknown' then null else body->>'cause' end as cause,
                       body->>'verdict' = 'up' and body->>'kind' <> 'forwarder_keyframe'
                           and not body->'steps' @> '[{"name": "forwarder_keyframe"}]' as own,
                       (body->>'interval_s')::float as interval_s,
                       round((body->>'duration_ms')::float) * interval '1 ms' as duration,
                       (body->>'observed_at')::timestamptz as seen, (body->>'awake_since')::timestamptz as awake
                from fact where kind in ('probe', 'read_back')
            ) as read
        ) as dated
        order by kind, thing, at, case state when 'down' then 2 when 'up' then 1 else 0 end desc,
                 coalesce(cause, '') collate "C" desc, own, interval_s desc, awake
    ) as one;

-- Probes in a row that found the same: when the first and the last of them were made.
create temporary table probe on commit drop as
    select thing as camera, state, cause, own, span, min(at) over same as first_at, max(at) over same as last_at
    from (
        select *, count(*) filter (where goes_on is not true) over (partition by thing order by at) as number from (
            select *, lag(state) over w = state and lag(cause) over w is not distinct from cause
                      and lag(own) over w is not distinct from own and coalesce(awake <= lag(at) over w, true)
                      and lag(at) over w + 2 * round(lag(interval_s) over w * 1000) * interval '1 ms' >= at as goes_on
            from observed where kind = 'probe' window w as (partition by thing order by at)
        ) as compared
    ) as counted window same as (partition by thing, number);

-- What the latest holder says of a camera's media: from the change that a report tells of, or else from the report,
-- until the next one, within the life in which it was made.
create temporary table report on commit drop as
    select camera, worker, held, sequence, state, cause, stopped_at,
           case when still_since is not null then still_ends end as moved_at, life * (
               case when ends < begins then 'empty' else tstzrange(begins, ends) end) as span,
           life * case when still_since is null or still_ends < still_since then 'empty'
                       else tstzrange(still_since, still_ends) end as still
    from (
        select *, lead(begins) over w as ends, coalesce(moved_at, case when lead(still_since) over w = still_since
                      then coalesce(lead(moved_at) over w, lead(at) over w) else lead(at) over w end) as still_ends,
               coalesce((select life from forwarding where forwarding.worker = dated.worker and life @> at), 'empty')
                   as life
        from (
            select *, case when told_of <= lag(told_of) over w then at else told_of end as begins from (
                select (body->>'camera_id')::uuid as camera, body->>'worker_id' as worker, (body->>'sequence')::int
                       as sequence, (body->>'held_since')::timestamptz as held, body->>'state' as state,
                       body->>'cause' as cause, (body->>'observed_at')::timestamptz as at,
                       (body->>'media_stopped_at')::timestamptz as stopped_at,
                       (body->>'still_since')::timestamptz as still_since,
                       (body->>'still_until')::timestamptz as moved_at,
                       least((body->>'observed_at')::timestamptz, (case body->>'state'
                           when 'flowing' then body->>'media_since'
                           when 'stopped' then coalesce(body->>'media_stopped_at', body->>'held_since') end
                       )::timestamptz - case when body->>'state' = 'stopped' and body->>'media_stopped_at' is null
                           and body->>'cause' is null then interval '1 ms' else interval '0' end) as told_of
                from (select distinct body from fact where kind = 'media') as said
            ) as read window w as (partition by camera, worker order by sequence)
        ) as dated window w as (partition by camera, worker order by sequence)
    ) as chained
    where state <> 'released' and (state <> 'stopped' or stopped_at is not null or cause is not null);
create temporary table flow on commit drop as
    select camera, held, stopped_at, moved_at, state = 'flowing' as flows,
           state = 'stopped' and cause not in
               ('address_not_allowed', 'secret_unreadable', 'secret_moved', 'internal_error') as gone,
           tstzmultirange(span) - coalesce((
               select range_agg(other.span) from report as other where other.camera = report.camera
               and (other.held, other.worker collate "C", other.sequence)
                   > (report.held, report.worker collate "C", report.sequence)
           ), '{}') as span
    from report;
create temporary table frozen on commit drop as
    select camera, range_agg(flow.span) filter (where flows) * (
               select range_agg(still) from report where report.camera = flow.camera and not isempty(still)) as span
    from flow group by camera;

-- Media that flows refutes a failed probe that saw none, and a frozen picture that moved since; media that stopped
-- refutes every probe but one that the prober made itself after it. What is refuted after its last probe stays so when
-- no media is seen any more: an `up` until media flows again, a `down` for good.
create temporary table flowing on commit drop as
    select camera, coalesce(range_agg(span) filter (where flows), '{}') as span from flow group by camera;
create temporary table refuted on commit drop as
    select probe.camera, cause, tstzmultirange(probe.span)
               * tstzmultirange(tstzrange(lower(flowing.span * tstzmultirange(tstzrange(last_at, null))), null)) as span
    from probe join flowing using (camera)
    where state = 'down' and cause in ('timeout', 'refused', 'auth_failed')
          and not isempty(flowing.span * tstzmultirange(tstzrange(last_at, null)))
    union all
    select probe.camera, cause, tstzmultirange(probe.span)
               * tstzmultirange(tstzrange(lower(flow.span * tstzmultirange(tstzrange(moved_at, null))), null))
    from probe join flow using (camera)
    where state = 'down' and cause = 'frozen' and flows and last_at < moved_at
          and not isempty(flow.span * tstzmultirange(tstzrange(moved_at, null)))
    union all
    select probe.camera, cause, tstzmultirange(probe.span) * tstzmultirange(tstzrange(
               greatest(lower(gone.span), last_at),
               lower(flowing.span * tstzmultirange(tstzrange(upper(gone.span), null)))))
    from probe join flowing using (camera) join (
        select camera, held, stopped_at, unnest(span) as span from flow where gone
    ) as gone using (camera)
    where state = 'up' and last_at < upper(gone.span)
          and not (own and case when stopped_at is null then last_at > held else first_at > stopped_at end);
create temporary table revised on commit drop as
    select probe.camera, 'moving' as what, tstzmultirange(probe.span) * flow.span
               * case when cause = 'frozen' then tstzmultirange(tstzrange(moved_at, null)) else '{(,)}' end
               - coalesce(frozen.span, '{}') as span
    from probe join flow using (camera) join frozen using (camera)
    where probe.state = 'down' and flows and (cause in ('timeout', 'refused', 'auth_failed')
                                              or (cause = 'frozen' and last_at < moved_at))
    union all
    select refuted.camera, 'moving', refuted.span * flowing.span - coalesce(frozen.span, '{}')
    from refuted join flowing using (camera) join frozen using (camera) where cause = 'frozen'
    union all
    select camera, 'refuted', span from refuted
    union all
    select probe.camera, 'back', tstzmultirange(probe.span) * flow.span
    from probe join flow using (camera)
    where probe.state = 'up' and gone and own
          and case when stopped_at is null then last_at > held else first_at > stopped_at end
    union all
    select camera, 'gone', span from flow where gone
    union all
    select camera, 'still', span from frozen;
create temporary table seen on commit drop as
    select camera, up - coalesce(refuted, '{}') - coalesce(gone, '{}') - coalesce(still, '{}')
               + coalesce(moving, '{}') + coalesce(back, '{}') as up,
           down - coalesce(refuted, '{}') - coalesce(moving, '{}') + (coalesce(gone, '{}') - coalesce(back, '{}'))
               + coalesce(still, '{}') as down
    from (
        select camera, coalesce(range_agg(span) filter (where state = 'up'), '{}') as up,
               coalesce(range_agg(span) filter (where state = 'down'), '{}') as down
        from (select camera, state, span from probe union all select camera, '', 'empty' from flow) as each
        group by camera
    ) as probed left join (
        select camera, range_agg(span) filter (where what = 'moving') as moving,
               range_agg(span) filter (where what = 'back') as back,
               range_agg(span) filter (where what = 'gone') as gone,
               range_agg(span) filter (where what = 'refuted') as refuted,
               range_agg(span) filter (where what = 'still') as still
        from revised group by camera
    ) as changed using (camera);
create temporary table failed on commit drop as
    select thing as delivery, span, coalesce(cause, 'none') as cause
    from observed where kind = 'read_back' and state = 'down' and not isempty(span);

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
           and (camera.body->>'enabled')::boolean as counted
    from version as camera join version as facility
      on facility.kind = 'facility' and facility.id = (camera.body->>'facility_id')::uuid
    where camera.kind = 'camera' and not camera.removed and camera.span && facility.span;

create temporary table scope on commit drop as
    select camera, coalesce(range_agg(span) filter (where counted), '{}')
                   * tstzmultirange((select period from asked)) as counted
    from stay group by camera;

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
                       (body->>'held_since')::timestamptz as held, (body->>'sequence')::bigint as sequence,
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
    select scope.camera, scope.counted - coalesce(maintained, '{}') as counted, scope.counted as in_scope,
           scope.counted * coalesce(maintained, '{}') as maintained
    from scope left join maintained using (camera);
create temporary table evidence on commit drop as
    select demand.camera, demand.delivery, demand.role, what, cause, span * counted.counted as span from (
        select demand.*, 'yes' as what, null as cause, stood.span * tstzmultirange(demand.span) as held
        from demand join stood using (delivery)
        where stood.state = 'verified' or (stood.state = 'acknowledged' and demand.proof = 'acknowledged')
        union all
        select demand.*, 'no', stood.cause, stood.span * tstzmultirange(demand.span)
        from demand join stood using (delivery) where stood.state not in ('verified', 'acknowledged')
        union all
        select demand.*, 'no', failed.cause, stood.span * tstzmultirange(demand.span) * tstzmultirange(failed.span)
        from demand join stood using (delivery) join failed using (delivery)
        where stood.state = 'acknowledged' and demand.proof = 'verified'
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
           pg_temp.ms(tstzmultirange(period)) as period,
           pg_temp.ms(counted * coalesce(up, '{}')) as up,
           pg_temp.ms(counted * coalesce(down, '{}')) as down,
           pg_temp.ms(maintained) as maintenance,
           pg_temp.ms(counted - coalesce(up, '{}') - coalesce(down, '{}')) as unknown,
           pg_temp.ms(tstzmultirange(period) - in_scope) as out_of_scope,
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
           pg_temp.ms(tstzmultirange(period) - demanded * in_scope) as out_of_scope
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
        cursor.execute(_TABLES)
        with cursor.copy("copy fact (kind, body) from stdin") as copy:
            for fact in facts:
                if (kind := _KIND.get(type(fact).__name__)) is not None:
                    copy.write_row((kind, fact.model_dump_json()))
        for window in world.windows:
            cursor.execute(
                "insert into agreed select %(camera_id)s, %(facility_id)s, %(agreed_at)s, "
                "tstzrange(%(starts_at)s, %(ends_at)s)",
                window.model_dump(),
            )
        given = {"start": _at(start), "end": _at(end), "unit": world.unit, "allowance": ALLOWANCE_MS}
        for statement in _DEFINITIONS.split(";\n"):
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
