"""The second witness, another part: what read-backs prove of each delivery, as sets of time. See accounting.py."""

PROVEN = """
-- What was said of each delivery, in one order: a match is of the moment at which its picture came, a failure of its
-- beginning, a change of a state of the moment at which it was seen. What is claimed then comes first.
create temporary table spoken on commit drop as
    select *, coalesce((select at >= ends from twice), false) as anew,
           row_number() over (partition by delivery order by at, compared, one, two, three, four, cause collate "C")
                  as place
    from (
        select distinct delivery, at, false as compared, what, null as cause, worker, holder,
               holder[2] as one, sequence as two, what_number as three, holder[1] as four, null::timestamptz as found,
               null::interval as every
        from (
            select delivery, worker, array[(extract(epoch from held) * 1000)::bigint,
                       ('x' || encode(substring(sha256(convert_to(worker, 'UTF8')) for 8), 'hex'))::bit(64)::bigint
                   ] as holder, sequence, at, what,
                   case what when 'left' then 1 when 'interrupted' then 2 when 'stalled' then 8 else 3 end
                   as what_number
            from (
                select (body->>'delivery_id')::uuid as delivery, body->>'worker_id' as worker,
                       least((body->>'held_since')::timestamptz, (body->>'observed_at')::timestamptz) as held,
                       (body->>'sequence')::bigint as sequence, said.*
                from fact cross join lateral (
                    values ((body->>'observed_at')::timestamptz, case
                                when body->>'state' in ('acknowledged', 'verified', 'mismatch') then 'acknowledged'
                                when body->>'state' = 'sending' then 'left'
                                when body->>'state' = 'stalled' then 'stalled' else 'interrupted' end),
                           (case when (body->>'changes')::int > 1 then least(
                                (body->>'first_changed_at')::timestamptz, (body->>'observed_at')::timestamptz) end,
                            'left')
                ) as said (at, what)
                where kind = 'change' and at is not null
            ) as changed
        ) as claimed
        union all
        select distinct delivery, least(at, found), true, what, cause, null, null::bigint[],
               case what when 'unreachable' then 4 when 'differs' then 5 when 'matches' then 6 else 7 end,
               (extract(epoch from found) * 1000)::bigint, (extract(epoch from every) * 1000)::bigint, 0, found, every
        from (
            select (body->>'delivery_id')::uuid as delivery, found, every,
                   case verdict when 'verified' then 'matches' when 'mismatch' then 'differs' else verdict end as what,
                   case verdict when 'mismatch' then coalesce(body->>'cause', 'mismatch')
                       when 'unreachable' then body->>'cause'
                       when 'paused' then case body->>'verdict' when 'not_checkable' then body->>'cause' end
                       end as cause,
                   case when body->>'verdict' = 'verified'
                       then (body->>'captured_at')::timestamptz
                       else greatest(found - round((body->>'duration_ms')::float) * interval '1 ms',
                                     (body->>'awake_since')::timestamptz) end as at
            from (
                select body, body->>'verdict' as verdict, (body->>'observed_at')::timestamptz as found,
                       round((body->>'interval_s')::float * 1000) * interval '1 ms' as every
                from fact where kind = 'read_back' and body->>'verdict' <> 'not_checkable'
                union all
                -- Nothing came back that should have: before a match, or while the prober could not compare.
                select body || jsonb_build_object('captured_at', body->'paused_since'), 'paused',
                       (body->>'observed_at')::timestamptz,
                       round((body->>'interval_s')::float * 1000) * interval '1 ms'
                from fact where kind = 'read_back' and (
                    body->>'verdict' = 'verified' and body->>'paused_since' is not null
                    or body->>'verdict' = 'not_checkable' and body->>'cause' = 'worker_lagged')
                union all
                -- For so long that it had failed.
                select body || jsonb_build_object('captured_at', body->'paused_since', 'cause', 'no_keyframe'),
                       'unreachable', (body->>'observed_at')::timestamptz,
                       round((body->>'interval_s')::float * 1000) * interval '1 ms'
                from fact where kind = 'read_back' and body->>'verdict' = 'verified'
                    and (body->>'observed_at')::timestamptz - (body->>'paused_since')::timestamptz >= interval '20 s'
            ) as read
            union all
            -- Read-backs without a fact of their own, which the next fact of the delivery carries, whoever's it is. If
            -- it is of a time shown twice, those count that it carries from later on: they are of before the step.
            select (body->>'delivery_id')::uuid, (one->>'observed_at')::timestamptz + by,
                   round((one->>'interval_s')::float * 1000) * interval '1 ms',
                   case verdict when 'verified' then 'matches' when 'mismatch' then 'differs' else verdict end,
                   case verdict when 'mismatch' then coalesce(body->'agreed'->>'cause', 'mismatch')
                       when 'unreachable' then body->'agreed'->>'cause' end,
                   case when after and verdict <> 'verified' and (one->>'observed_at')::timestamptz >= ends
                       then greatest((one->>'at')::timestamptz, ends) else (one->>'at')::timestamptz + by end
            from (
                select by, body, body->'agreed'->>'verdict' as verdict, after, begins, ends,
                       (body->>'observed_at')::timestamptz as dated,
                       jsonb_array_elements(body->'agreed'->'read_backs') as one
                from stated cross join twice
                where kind in ('read_back', 'change') and jsonb_typeof(body->'agreed') = 'object'
            ) as carried where verdict <> 'not_checkable' and (not after or case
                when dated >= begins and dated < ends
                then (one->>'observed_at')::timestamptz > dated and (one->>'observed_at')::timestamptz <= ends
                else not ((one->>'observed_at')::timestamptz >= begins and (one->>'observed_at')::timestamptz < ends)
                end)
        ) as judged where at is not null
    ) as everything;

-- Whose claims count: what a worker says that no longer has the camera is not of the latest. Where the clock was set
-- back, all begins anew: since when somebody had the camera before says nothing.
create temporary table claimed on commit drop as
    select *, holder >= max(holder) over (partition by delivery, anew order by place) as latest
    from spoken where not compared;
create index on claimed (delivery, place);
analyze claimed;

-- A match counts wherever its picture came, a failure while media is acknowledged.
create temporary table heard on commit drop as
    select spoken.*, known.worker as by_worker, known.what is not distinct from 'acknowledged' as while_acknowledged
    from spoken left join lateral (
        select worker, what from claimed
        where claimed.delivery = spoken.delivery and claimed.anew = spoken.anew and claimed.place < spoken.place
              and latest order by place desc limit 1
    ) as known on true
    where compared and (spoken.what in ('matches', 'paused') or known.what = 'acknowledged');
create index on heard (delivery, place);
analyze heard;

-- A session is over with whatever is not acknowledged, with another worker, with a state that was left meanwhile, and
-- with what a worker says that no longer has the camera, since it may be of this session. A stall of the same
-- connection ends what was proven, not what failed.
create temporary table turn on commit drop as
    select *, not latest or what = 'interrupted' or worker is distinct from before_worker
              or (what = 'left' and (before_what = 'acknowledged' or fails))
              or (what = 'stalled' and not fails) as breaks
    from (
        select claimed.*, lag(worker) over same as before_worker, lag(claimed.what) over same as before_what,
               coalesce((select last.what in ('unreachable', 'differs') from heard as last
                         where last.delivery = claimed.delivery and last.place < claimed.place
                           and last.anew = claimed.anew
                           and last.what <> 'paused' order by last.place desc limit 1), false) as fails
        from claimed window same as (partition by claimed.delivery, latest, anew order by claimed.place)
    ) as compared_with_before;

create index on turn (delivery, place);
analyze turn;
create temporary table compared on commit drop as
    select delivery, at, what, cause, found, every, place, by_worker as worker, while_acknowledged,
           (select count(*) from turn where turn.delivery = heard.delivery and turn.place < heard.place and breaks)
           + case when anew then 1000000 else 0 end as session, anew
    from heard;

-- A pause after a failure is one more, unless it was the prober that could not compare.
update compared set what = last.what, cause = last.cause from (
    select paused.delivery, paused.place, before.what, before.cause from compared as paused cross join lateral (
        select what, cause from compared as other where other.delivery = paused.delivery
            and other.session = paused.session and other.place < paused.place and other.what <> 'paused'
        order by other.place desc limit 1
    ) as before where paused.what = 'paused' and before.what <> 'matches'
) as last where compared.delivery = last.delivery and compared.place = last.place
    and compared.cause is null and compared.while_acknowledged;

-- A pause parts matches from those after it. What fails goes on failing.
delete from compared using (
    select delivery, place, max(place) filter (where what = 'matches') over before as matched,
           max(place) filter (where what in ('unreachable', 'differs')) over before as failed
    from compared window before as (
        partition by delivery, session order by place rows between unbounded preceding and 1 preceding)
) as last where last.delivery = compared.delivery and last.place = compared.place and compared.what = 'paused'
    and (last.matched is null or last.failed > last.matched);
analyze compared;

-- Read-backs of one mind in a row, none missing between them.
create temporary table minded on commit drop as
    select delivery, session, number, what, cause, min(worker) as worker, min(at) as first, max(at) as last,
           min(found) as first_found, max(found) as last_found, max(found - before) as widest,
           2 * (array_agg(every order by place desc))[1] as waits,
           least((select min(turn.at) from turn where turn.delivery = grouped.delivery and breaks
                  and turn.place > max(grouped.place)), case when not bool_or(anew) then (select ends from twice) end
           ) as over
    from (
        select *, count(*) filter (where goes_on is not true) over (partition by delivery, session order by place)
                      as number, case when goes_on then lag(at) over (partition by delivery, session order by place) end
                      as before
        from (
            select *, lag(what) over w = what and lag(cause) over w is not distinct from cause
                      and at - case what when 'matches' then lag(at) over w else greatest(lag(at) over w, ended) end
                          <= case what when 'matches' then 1.5 else 1.9 end * lag(every) over w
                      as goes_on
            from (
                -- Those that failed are waited for until all of them since the last match have ended.
                select *, max(found) filter (where what not in ('matches', 'paused')) over (
                    partition by delivery, session, agreed order by place
                    rows between unbounded preceding and 1 preceding) as ended
                from (
                    select *, count(*) filter (where what = 'matches') over (
                        partition by delivery, session order by place) as agreed
                    from compared
                ) as counted
            ) as awaited window w as (partition by delivery, session order by place)
        ) as followed
    ) as grouped group by delivery, session, number, what, cause;

create temporary table failing on commit drop as
    select *, max(ends) over (partition by delivery, session order by number) as until from (
        select *, least(greatest(last, max(last_found) over (partition by delivery, session, matched order by number))
                            + waits, case when next_what is null then over when next_what <> 'matches' then next_first
                        else greatest(next_first, max(last_found) over (
                            partition by delivery, session, matched order by number)) end) as ends
        from (
            select *, lead(what) over w as next_what, lead(first) over w as next_first,
                   count(*) filter (where what = 'matches') over w as matched
            from minded window w as (partition by delivery, session order by number)
        ) as followed where what not in ('matches', 'paused')
    ) as ended;

create index on failing (delivery, session);
analyze failing;
create temporary table matching on commit drop as
    select *, greatest(first_found, floor) as firm,
           case when number > chain then greatest(lag(last) over w, first_value(greatest(first_found, floor)) over w)
                else greatest(first_found, floor) end as begins
    from (
        select *, min(number) over (partition by delivery, session, failed, paused) as chain from (
            select minded.*, (select count(*) from minded as pause where pause.what = 'paused'
                              and pause.delivery = minded.delivery and pause.session = minded.session
                              and pause.number < minded.number) as paused,
                   (select count(*) from failing where failing.delivery = minded.delivery
                              and failing.session = minded.session and failing.number < minded.number) as failed,
                   coalesce((select max(ends) from failing where failing.delivery = minded.delivery
                             and failing.session = minded.session and failing.number < minded.number),
                            '-infinity') as floor
            from minded where what = 'matches'
        ) as after_failures
    ) as chained window w as (partition by delivery, session, failed, paused order by number);

-- A failed read-back counts until it has ended, also where a new session began meanwhile: what came back or failed in
-- that one counts from then on.
create temporary table failed on commit drop as
    select delivery, cause, case when begins < ends then tstzmultirange(tstzrange(begins, ends)) else '{}' end as span,
           what
    from (
        select delivery, what, cause, ends, greatest(begins, max(ends) over (
                   partition by delivery order by first, session, number
                   rows between unbounded preceding and 1 preceding)) as begins
        from (
            select delivery, session, number, what, cause, first,
                   greatest(first, lag(until) over (partition by delivery, session order by number)) as begins,
                   case when watched is null then last else least(ends, upper(watched), (
                       select min(greatest(last, lower(span))) from lost
                       where of_prober and upper(span) > last)) end as ends
            from (select *, (select life from probing where life @> last) as watched from failing) as seen
        ) as limited
    ) as parted;

create temporary table proven on commit drop as
    select delivery, what, null as cause,
           case when begins < last then tstzmultirange(tstzrange(begins, last)) else '{}' end - coalesce((
               select range_agg(tstzrange(lower(span) - coalesce(widest, interval '0'),
                                          upper(span) + coalesce(widest, interval '0')))
               from lost where publisher = matched.worker and not of_prober
               and lower(span) < last and upper(span) > first
           ), '{}') - coalesce((select range_agg(span) from failed where failed.delivery = matched.delivery), '{}')
           as span
    from (
        select delivery, what, worker, first, last, widest, case when begins < firm and exists (
                   select from lost where (of_prober or publisher = matching.worker)
                   and lower(span) < firm and upper(span) > begins
               ) then firm else begins end as begins
        from matching
    ) as matched
    union all
    select delivery, what, coalesce(cause, 'none'), span from failed;
"""
