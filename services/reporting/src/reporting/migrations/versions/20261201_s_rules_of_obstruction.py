"""Rules by which what obstructs a facility escalates by itself, where a province has no rule of its own."""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# At once to the agency that manages the facility, after two days by a letter, after five to the people's committee.
_ADD = """
insert into urge_rule (id, revision, name, about, party, level, hours, every_hours, after_answer_hours, quiet_from,
                       quiet_to, channel_kinds, obligation_kinds, enabled, created_at, created_by, changed_at,
                       changed_by)
select gen_random_uuid(), 1, name, 'obligation_overdue', party, level, hours, every_hours, after_answer_hours, '21:00',
       '07:00', '{mailto,json}', '{obstruction}', true, now(), 'Vọng Gác', now(), 'Vọng Gác'
from (values ('Cản trở: nhắc cơ quan quản lý', 'managing', 1, 0, 24, 0),
             ('Cản trở quá 2 ngày: công văn đôn đốc', 'managing', 2, 48, 72, 48),
             ('Cản trở quá 5 ngày: báo cáo UBND tỉnh', 'peoples_committee', 3, 120, 168, 0))
     as rule (name, party, level, hours, every_hours, after_answer_hours)
where not exists (select from urge_rule)
"""


def upgrade() -> None:
    op.execute(_ADD)


def downgrade() -> None:
    op.execute("delete from urge_rule where created_by = 'Vọng Gác' and party = 'peoples_committee'")
    op.execute("delete from urge_rule where created_by = 'Vọng Gác' and obligation_kinds = '{obstruction}'")
