"""Tables that hold something already: what is on record stays as it was."""

import json
from uuid import uuid4

from alembic import command
from sqlalchemy import NullPool, create_engine, text

from inventory.migrations import SCRIPTS
from vonggac.database import migrate
from vonggac.database.migrations import config

ADD = text(
    "insert into destinations (id, revision, created_at, changed_at, code, name, search, role, url_template, "
    "required_proof, enabled, sealed_secret) values (gen_random_uuid(), 1, now(), now(), 'TT', 'Trung tâm', 'tt', "
    "'national', 'rtsp://10.9.0.1/{camera_code}', 'acknowledged', true, 'sealed')"
)
ADD_AGENCY = text(
    "insert into agencies (id, revision, created_at, changed_at, code, name, search, role) values "
    "(:id, 3, '2021-05-01 00:00Z', '2021-05-07 00:00Z', 'SYT', 'Sở Mới', 'sit so moi', 'lead')"
)
LOG = text(
    "insert into changes (changed_at, changed_by, request_id, noun, thing_id, action, before, after) values "
    "(:at, 'lead', 'r', 'agency', :id, :action, null, cast(:after as jsonb))"
)
READ_HISTORY = text(
    "select name, search, recorded_from::date::text, recorded_to::date::text from agencies_history "
    "where id = :id order by agencies_history.recorded_from"
)
READ = text("select code, sealed_secret, enhanced_rtmp, read_back_url_template, tls from destinations")


def test_destinations_of_before_can_neither_be_read_back_nor_take_h265(database_url: str) -> None:
    command.upgrade(config(SCRIPTS, database_url), "0002")
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(ADD)
    migrate(SCRIPTS, database_url)
    with engine.begin() as connection:
        assert connection.execute(READ).all() == [("TT", "sealed", False, None, None)]
    command.downgrade(config(SCRIPTS, database_url), "0002")
    with engine.begin() as connection:
        assert connection.execute(text("select code, sealed_secret from destinations")).all() == [("TT", "sealed")]
    engine.dispose()


def test_the_history_begins_with_what_the_change_log_knows(database_url: str) -> None:
    command.upgrade(config(SCRIPTS, database_url), "0004")
    kept, gone = uuid4(), uuid4()
    after = {"code": "SYT", "name": "Sở Y tế Đông Hà", "role": "lead", "valid_from": None, "valid_to": None}
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(ADD_AGENCY, {"id": kept})
        lines = [
            (kept, "2021-05-01", "created", after),
            (kept, "2021-05-07", "changed", after | {"name": "Sở Mới"}),
            (gone, "2021-05-02", "created", after | {"code": "X"}),
            (gone, "2021-05-03", "removed", None),
        ]
        for thing, day, action, state in lines:
            written = json.dumps(state) if state is not None else None
            connection.execute(LOG, {"id": thing, "at": f"{day} 00:00Z", "action": action, "after": written})
    migrate(SCRIPTS, database_url)
    with engine.begin() as connection:
        assert connection.execute(READ_HISTORY, {"id": kept}).all() == [
            ("Sở Y tế Đông Hà", "sit so i te dong ha", "2021-05-01", "2021-05-07"),
            ("Sở Mới", "sit so moi", "2021-05-07", None),
        ]
        assert [row[2:] for row in connection.execute(READ_HISTORY, {"id": gone})] == [("2021-05-02", "2021-05-03")]
    command.downgrade(config(SCRIPTS, database_url), "0004")
    with engine.begin() as connection:
        assert connection.execute(text("select to_regclass('agencies_history')")).scalar() is None
    engine.dispose()


def test_what_is_written_past_the_service_is_in_the_history_too(migrated_url: str, inventory_url: str) -> None:
    engine = create_engine(inventory_url, poolclass=NullPool)
    thing = uuid4()
    with engine.begin() as connection:
        connection.execute(ADD_AGENCY, {"id": thing})
    with engine.begin() as connection:
        connection.execute(text("update agencies set name = 'A'"))
        connection.execute(text("update agencies set name = 'B'"))
    with engine.begin() as connection:
        connection.execute(text("delete from agencies"))
        rows = connection.execute(READ_HISTORY, {"id": thing}).all()
    assert [row.name for row in rows] == ["Sở Mới", "B"], "one state for each write"
    assert all(row.recorded_to is not None for row in rows)
    engine.dispose()
