"""The second witness, first part: when each camera was seen to be up or down, as sets of time. See accounting.py."""

PROBED = """
-- When each worker watched: from the time since which it is awake to its sign of life.
create temporary table watch on commit drop as
    select body->>'worker_id' as worker, kind, range_agg(tstzrange(
        least(coalesce((body->>'awake_since')::timestamptz, at - %(allowance)s * interval '1 ms'), at), at)) as lives
    from (
        select case kind when 'prober_alive' then 'prober' when 'probe' then 'prober' else 'forwarder' end as kind,
               body, coalesce(body->>'alive_at', body->>'observed_at')::timestamptz as at
        from fact where kind in ('prober_alive', 'forwarder_alive')
           -- A probe that does not say since when its worker is awake vouches for nothing.
           or (kind = 'probe' and body->>'awake_since' is not null)
    ) as sign group by 1, 2;

-- Between which two facts of a publisher others were lost. A fact came after them with all that it took to find it.
create temporary table lost on commit drop as
    select publisher, of_prober, tstzrange(begins, greatest(ends, begins + interval '1 ms')) as span from (
        select publisher, of_prober, least(at, next_at) as begins,
               case when next_at < at then at else greatest(at, next_at - next_lasted) end as ends
        from (
            select *, lead(number) over w as next_number, lead(at) over w as next_at, lead(lasted) over w as next_lasted
            from (
                select distinct publisher, number, kind in ('prober_alive', 'probe', 'read_back') as of_prober,
                       coalesce(body->>'alive_at', body->>'observed_at')::timestamptz as at,
                       coalesce((body->>'duration_ms')::float, 0) * interval '1 ms' as lasted
                from stated where publisher is not null
            ) as numbered window w as (partition by publisher order by number)
        ) as followed where next_number > number + 1
    ) as between_two;

create temporary table void on commit drop as
    select case when begins is null then '{}' else tstzmultirange(tstzrange(begins, ends)) end as shown from twice;

-- When at least one prober watched, life by life. What a forwarder claimed before a loss ends there.
create temporary table probing on commit drop as
    select unnest(range_agg(life) - (select shown from void)) as life
    from (select unnest(lives) as life from watch where kind = 'prober') as one;
create temporary table forwarding on commit drop as
    select worker, unnest(lives - (select shown from void) - coalesce(
               (select range_agg(span) from lost where publisher = worker), '{}')) as life
    from watch where kind = 'forwarder';

-- Probes: a failure is dated to its beginning; of two in one moment the worse counts; each holds until
-- the next, at most two intervals, and no longer than the life of the probers in which it was made. It ends, too, where
-- a prober lost facts after it or while it was made, unless the next finds the same and comes before another was due:
-- after one and a half intervals, 1.9 where a silent camera may have been put off.
create temporary table observed on commit drop as
    select kind, thing, at, state, cause, own, goes_on,
           tstzrange(at, least(at + 2 * round(interval_s * 1000) * interval '1 ms', next_at)) as claimed,
           tstzrange(at, least(
               at + 2 * round(interval_s * 1000) * interval '1 ms', next_at,
               (select min(greatest(at, lower(lost.span))) from lost
                where goes_on is not true and of_prober and upper(lost.span) > at)
           )) * coalesce((select life from probing where life @> at), 'empty') as span
    from (
        select *, lead(at) over w as next_at, lead(state) over w = state
               and lead(cause) over w is not distinct from cause and lead(own) over w is not distinct from own
               and coalesce(lead(since) over w <= at, true)
               and lead(at) over w - at <= case state when 'up' then 1.5 else 1.9 end * interval_s * interval '1 s'
               as goes_on
        from (
            select distinct on (kind, thing, at) * from (
                select kind, thing, state, cause, own, interval_s,
                       case state when 'down' then greatest(seen - duration, awake) else seen end as at,
                       -- A probe says nothing of the time in which its prober slept, before the picture stood still, or
                       -- before it was found as it is: by its beginning or, of one that failed, by its end.
                       greatest(awake, still, case
                           when found is not null and state <> 'down' then least(found, seen)
                           when found >= seen then greatest(seen - duration, awake) end) as since
                from (
                    select kind, (body->>'camera_id')::uuid as thing, body->>'verdict' as state,
                           case body->>'verdict' when 'up' then null else body->>'cause' end as cause,
                           body->>'verdict' = 'up' and body->>'kind' <> 'forwarder_keyframe'
                               and not body->'steps' @> '[{"name": "forwarder_keyframe"}]' as own,
                           (body->>'interval_s')::float as interval_s,
                           round((body->>'duration_ms')::float) * interval '1 ms' as duration,
                           (body->>'observed_at')::timestamptz as seen, (body->>'awake_since')::timestamptz as awake,
                           (body->>'still_since')::timestamptz as still,
                           (body->>'since')::timestamptz as found
                    from fact where kind = 'probe'
                ) as read
            ) as dated
            order by kind, thing, at, case state when 'down' then 2 when 'up' then 1 else 0 end desc,
                     coalesce(cause, '') collate "C" desc, own, interval_s desc,
                     coalesce(since, '-infinity')
        ) as one window w as (partition by kind, thing order by at)
    ) as followed;

-- Probes in a row that found the same: when the first and the last of them were made.
create temporary table found on commit drop as
    select thing as camera, state, cause, own, span, min(at) over same as first_at, max(at) over same as last_at
    from (
        select *, count(*) filter (where follows is not true) over (partition by thing order by at) as number from (
            select *, lag(goes_on) over (partition by thing order by at) as follows
            from observed where kind = 'probe'
        ) as compared
    ) as counted window same as (partition by thing, number);
"""
SEEN = """
-- What the latest holder says of a camera's media: from the change that a report tells of, or else from the report,
-- until the next one, within the life in which it was made.
create temporary table report on commit drop as
    select camera, worker, held, sequence, state, cause, stopped_at, changed_at, judged, shows_nothing, life,
           life * case
               when changed_at is null or next_at < changed_at then 'empty'
               when next_changed_at = changed_at then tstzrange(changed_at, next_at)
               when next_changed_at is null then tstzrange(changed_at, next_at)
               else tstzrange(changed_at, greatest(changed_at, next_changed_at)) end as picture,
           case when still_since is not null then still_ends end as moved_at, life * (
               case when ends < begins then 'empty' else tstzrange(begins, ends) end) as span,
           life * case when still_since is null or still_ends < still_since then 'empty'
                       else tstzrange(still_since, still_ends) end as still
    from (
        select *, lead(begins) over w as ends, lead(at) over w as next_at, lead(changed_at) over w as next_changed_at,
               coalesce(moved_at, case when lead(still_since) over w = still_since
                      then coalesce(lead(moved_at) over w, lead(at) over w) else lead(at) over w end) as still_ends,
               coalesce((select life from forwarding where forwarding.worker = dated.worker and life @> at), 'empty')
                   as life
        from (
            select *, case when told_of <= lag(told_of) over w then at else told_of end as begins from (
                select (body->>'camera_id')::uuid as camera, body->>'worker_id' as worker, (body->>'sequence')::int
                       as sequence,
                       least((body->>'held_since')::timestamptz, (body->>'observed_at')::timestamptz) as held,
                       body->>'state' as state,
                       body->>'cause' as cause, (body->>'observed_at')::timestamptz as at,
                       (body->>'media_stopped_at')::timestamptz as stopped_at,
                       (body->>'still_since')::timestamptz as still_since,
                       (body->>'still_until')::timestamptz as moved_at,
                       case when body->>'picture_since' is not null then
                           least((body->>'picture_since')::timestamptz, (body->>'observed_at')::timestamptz) end
                           as changed_at,
                       (body->>'picture_judged')::boolean as judged, body->>'picture_cause' as shows_nothing,
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
    select camera, worker, held, stopped_at, moved_at, state = 'flowing' as flows,
           state = 'stopped' and cause not in
               ('address_not_allowed', 'secret_unreadable', 'secret_moved', 'worker_lagged', 'internal_error') as gone,
           tstzmultirange(span) - coalesce((
               select range_agg(other.span) from report as other where other.camera = report.camera
               and (other.held, other.worker collate "C", other.sequence)
                   > (report.held, report.worker collate "C", report.sequence)
           ), '{}') as span
    from report;
-- That nothing new is shown holds until another worker takes the camera. What that one shows is unknown for a while.
create temporary table still_held on commit drop as
    select camera, held, worker, sequence, still, tstzmultirange(still) - coalesce((
               select range_agg(other.span) from report as other
               where other.camera = report.camera and other.worker <> report.worker
               and (other.held, other.worker collate "C", other.sequence)
                   > (report.held, report.worker collate "C", report.sequence)
           ), '{}') as spans
    from report where not isempty(still);
insert into report (camera, worker, held, sequence, state, changed_at, judged, life, picture, span, still)
    select distinct on (camera, worker, lower(taker.span)) camera, taker.worker, taker.held, taker.sequence,
           taker.state, lower(taker.span), false, taker.life,
           taker.life * tstzrange(lower(taker.span), lower(taker.span) + interval '45 s'), 'empty', 'empty'
    from (select *, unnest(spans) as piece from still_held) as left_over join report as taker using (camera)
    where upper(piece) < coalesce(upper(left_over.still), 'infinity') and lower(taker.span) = upper(piece)
          and taker.worker <> left_over.worker
          and (taker.held, taker.worker collate "C", taker.sequence)
              > (left_over.held, left_over.worker collate "C", left_over.sequence);
-- What the holder that has the media says of the picture since it changed: its last word on that change. After it, what
-- a probe found before the change holds no more, if the picture was not found to be like that.
create temporary table shown on commit drop as
    select camera, changed_at, judged, shows_nothing, tstzmultirange(said) * flows - coalesce((
               select range_agg(picture) from report as later
               where later.camera = said.camera and later.worker = said.worker and later.changed_at > said.changed_at
           ), '{}') as span from (
        -- One that takes the camera as its picture changes doubts it; what it says itself of that change counts.
        select distinct on (report.camera, report.worker, changed_at)
               report.camera, report.worker, changed_at, judged, shows_nothing, said, (
                   select coalesce(range_agg(flow.span), '{}') from flow
                   where flow.camera = report.camera and flow.worker = report.worker and flow.flows) as flows
        from report join (
            select camera, worker, changed_at, range_agg(picture) as said, max(sequence) as sequence
            from report where changed_at is not null and not isempty(life) group by 1, 2, 3
        ) as word using (camera, worker, changed_at, sequence)
        order by report.camera, report.worker, changed_at, judged desc, shows_nothing
    ) as said;
delete from shown where isempty(span);
create temporary table after_shown on commit drop as
    select camera, changed_at, judged, shows_nothing, tstzrange(upper(piece), lead(lower(piece)) over w) as span
    from (select *, unnest(span) as piece from shown) as pieces
    window w as (partition by camera order by lower(piece), upper(piece));
create temporary table probe on commit drop as
    select camera, state, cause, own, first_at, last_at, unnest(tstzmultirange(span) - coalesce((
               select range_agg(after_shown.span) from after_shown
               where after_shown.camera = found.camera and last_at < changed_at
               and case state when 'up' then not judged or shows_nothing is not null
                   else state = 'down' and cause = any ('{no_signal_card, black, covered, frozen, decode_failed,
                        no_keyframe}') and (not judged or shows_nothing is null) end
           ), '{}')) as span
    from found;
create temporary table frozen on commit drop as
    select camera, range_agg(flow.span) filter (where flows) * (
               select range_agg(spans) from still_held where still_held.camera = flow.camera) as span
    from flow group by camera;

-- Media that flows refutes a failed probe that saw none, and a frozen picture that moved since; media that stopped
-- refutes every probe but one that the prober made itself after it. What is refuted after its last probe stays so when
-- no media is seen any more: an `up` until media flows again, a `down` for good.
create temporary table pictureless on commit drop as select array[
    'dns', 'route', 'refused', 'timeout', 'tls', 'hung_up', 'ended', 'stalled', 'no_media',
    'auth_failed', 'session_limit', 'not_found', 'request_refused', 'server_error', 'protocol_error',
    'no_track', 'transport_unsupported'] as causes;
create temporary table flowing on commit drop as
    select camera, coalesce(range_agg(span) filter (where flows), '{}') as span from flow group by camera;
create temporary table refuted on commit drop as
    select probe.camera, cause, tstzmultirange(probe.span)
               * tstzmultirange(tstzrange(lower(flowing.span * tstzmultirange(tstzrange(last_at, null))), null)) as span
    from probe join flowing using (camera)
    where state = 'down' and cause = any ((select causes from pictureless)::text[])
          and not isempty(flowing.span * tstzmultirange(tstzrange(last_at, null)))
    union all
    select probe.camera, cause, tstzmultirange(probe.span)
               * tstzmultirange(tstzrange(lower(flow.span * tstzmultirange(tstzrange(moved_at, null))), null))
    from probe join flow using (camera)
    where state = 'down' and cause in ('frozen', 'repeats') and flows and last_at < moved_at
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
               * case when cause in ('frozen', 'repeats') then tstzmultirange(tstzrange(moved_at, null))
                      else '{(,)}' end
               - coalesce(frozen.span, '{}') as span
    from probe join flow using (camera) join frozen using (camera)
    where probe.state = 'down' and flows and (cause = any ((select causes from pictureless)::text[])
                                              or (cause in ('frozen', 'repeats') and last_at < moved_at))
    union all
    select refuted.camera, 'moving', refuted.span * flowing.span - coalesce(frozen.span, '{}')
    from refuted join flowing using (camera) join frozen using (camera) where cause in ('frozen', 'repeats')
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
    select camera, up - coalesce(empty, '{}') - coalesce(doubted, '{}')
               - coalesce(outdated, '{}') + coalesce(good_again, '{}') as up,
           down - coalesce(outdated, '{}') - coalesce(good_again, '{}') + coalesce(empty, '{}') as down
    from (
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
    ) as changed using (camera)
    ) as moved left join (
        select camera, range_agg(shown.span) filter (where shows_nothing is not null) as empty,
               range_agg(shown.span) filter (where not judged and shows_nothing is null) as doubted
        from shown group by camera
    ) as pictures using (camera) left join (
        select probe.camera, range_agg(tstzmultirange(probe.span) * (shown.span - coalesce(frozen.span, '{}')))
                   filter (where not judged) as outdated,
               range_agg(tstzmultirange(probe.span) * (shown.span - coalesce(frozen.span, '{}')))
                   filter (where judged) as good_again
        from probe join shown using (camera) left join frozen using (camera)
        where state = 'down' and last_at < changed_at and shows_nothing is null and cause = any (
            '{no_signal_card, black, covered, frozen, decode_failed, no_keyframe}')
        group by 1
    ) as older using (camera);
"""
