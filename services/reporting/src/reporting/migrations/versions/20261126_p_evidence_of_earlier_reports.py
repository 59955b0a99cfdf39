"""Reports that were frozen before 0016 are flagged, too: with what the ledger noted since, and with all that comes."""

from functools import partial

from alembic import op

from vonggac.database.steps import Steps

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Days whose figures changed after they had been written: whatever changes a frozen report is among them. The marks are
# numbered up to 0, in the order in which they came, so that no report of 0016 and later takes them for its own.
_NOTED = """
select camera_id, day, unnest(string_to_array(what, ', ')) as what, max(noticed_at) as noticed_at
from late_evidence {where} group by 1, 2, 3
"""
_SINCE = """
where noticed_at > (select min(frozen_at) from frozen_report where number not in (select number from report_evidence))
"""
_MARK = f"""
insert into report_mark (id, camera_id, day, what, since, noticed_at)
select row_number() over (order by noticed_at) - count(*) over (), camera_id, day, what,
  cast(day as timestamp) at time zone 'Asia/Ho_Chi_Minh', noticed_at
from ({_NOTED.format(where=_SINCE)}) as noted on conflict (camera_id, day, what) do nothing
"""  # noqa: S608 - our own words
_FLAG = f"""
insert into report_evidence (number, seen_mark, camera_ids)
select number, -(select count(*) from ({_NOTED.format(where="")}) as noted where noticed_at > frozen_at), array(
    select distinct cast(camera ->> 'camera_id' as uuid)
    from jsonb_array_elements(cast(document as jsonb) -> 'tables' -> 'cameras') as camera
    where camera ->> 'camera_id' is not null
)
from frozen_report where number = any(:ids) and number not in (select number from report_evidence)
"""  # noqa: S608 - our own words


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("marks", partial(op.execute, _MARK))
    steps.run_in_batches("reports", _FLAG, table="frozen_report", key="number", rows=1)


def downgrade() -> None:
    """Change nothing: what came for a report stays known."""
