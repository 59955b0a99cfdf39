"""Tables that hold something already: what is on record stays as it was."""

import json
from uuid import uuid4

from alembic import command
from pydantic import SecretStr
from sqlalchemy import Engine, NullPool, create_engine, text

import inventory.nouns.registry  # noqa: F401 # names what is published of each noun
from inventory.domain.text import fold, order_key, person_order_key
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.upkeep.republishing import republish_wanted
from vonggac.database import Database, database_address, migrate
from vonggac.database.migrations import config
from vonggac.events.inventory import CameraV1, FacilityV1, PlanBasis, PlanExceptionV1
from vonggac.events.registry import decode

ADD = text(
    "insert into destinations (id, revision, created_at, changed_at, code, name, search, role, url_template, "
    "required_proof, enabled, sealed_secret) values (gen_random_uuid(), 1, now(), now(), 'TT', 'Trung tâm', 'tt', "
    "'national', 'rtsp://10.9.0.1/{camera_code}', 'acknowledged', true, 'sealed')"
)
ADD_AGENCY = text(
    "insert into agencies (id, revision, created_at, changed_at, code, name, search, role) values "
    "(:id, 3, '2021-05-01 00:00Z', '2021-05-07 00:00Z', 'SYT', 'Sở Mới', 'sit so moi', 'lead')"
)
ADD_AGENCY_CODED = (
    "insert into agencies (id, revision, created_at, changed_at, code, name, search, role) values "
    "(:id, 1, now(), now(), :code, 'Sở', 'so', 'operator')"
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


CONNECTED = """
insert into districts (id, revision, created_at, changed_at, code, name, search)
  values (:id, 1, now(), now(), '461', 'Đông Hà', 'dong ha');
insert into agencies (id, revision, created_at, changed_at, code, name, search, role)
  values (:id, 1, now(), now(), 'SYT', 'Sở Y tế', 'syt', 'managing');
insert into facilities (id, revision, created_at, changed_at, code, name, search, type, status, district_id,
                        managing_agency_id, restricted)
  values (:id, 1, now(), now(), 'KCL-01', 'Trường', 'truong', 'school', 'active', :id, :id, false);
insert into cameras (id, revision, created_at, changed_at, code, name, search, facility_id, enabled, url, transport,
                     forward_audio, probe_interval_s, probe_timeout_s)
  values (:id, 4, now(), now(), 'CAM-01', 'Cổng', 'cong', :id, true, 'rtsp://10.1.1.1/1', 'tcp', false, 60, 15);
insert into destinations (id, revision, created_at, changed_at, code, name, search, role, url_template, required_proof,
                          enabled)
  values (:id, 1, now(), now(), 'TT', 'Trung tâm', 'tt', 'national', 'rtsp://10.9.0.1/{camera_code}', 'acknowledged',
          true);
insert into deliveries (id, revision, created_at, changed_at, camera_id, destination_id, enabled, url)
  values (:id, 1, now(), now(), :id, :id, true, 'rtsp://10.9.0.1/CAM-01');
"""

ADD_RESTRICTED = """
insert into facilities (id, revision, created_at, changed_at, code, name, search, type, status, unit_id,
                        managing_agency_id, restricted, address)
  values (:other, 1, now(), now(), 'KCL-02', 'Doanh trại', 'doanh trai', 'military', 'active', :id, :id, true, 'Đồi 1')
"""


def run(engine: Engine, script: str, **values: object) -> None:
    with engine.begin() as connection:
        for statement in filter(None, map(str.strip, script.split(";"))):
            connection.execute(text(statement), values)


async def test_the_exceptions_of_what_was_connected_before_are_published_once(database_url: str) -> None:
    command.upgrade(config(SCRIPTS, database_url), "0001")
    engine = create_engine(database_url, poolclass=NullPool)
    run(engine, CONNECTED, id=uuid4())
    migrate(SCRIPTS, database_url)
    database = Database(database_address(Settings.model_construct(database_url=SecretStr(database_url))))
    try:
        assert [await republish_wanted(database) for _ in range(2)] == [2, 0]
    finally:
        await database.close()
    with engine.begin() as connection:
        bodies = connection.execute(text("select body from outbox order by id")).scalars().all()
    exception, camera = (decode(bytes(body)).data for body in bodies)
    assert isinstance(exception, PlanExceptionV1)
    assert isinstance(camera, CameraV1)
    assert camera.revision == 4
    assert camera.deliveries[0].plan is PlanBasis.EXCEPTED
    assert camera.deliveries[0].plan_exception == exception.why
    engine.dispose()


async def test_facilities_of_before_are_published_once_with_their_address(database_url: str) -> None:
    command.upgrade(config(SCRIPTS, database_url), "0001")
    engine = create_engine(database_url, poolclass=NullPool)
    one, restricted = uuid4(), uuid4()
    run(engine, CONNECTED, id=one)
    command.upgrade(config(SCRIPTS, database_url), "0016")
    run(engine, "delete from republish_wanted; update facilities set address = '68 Lê Duẩn'")
    run(engine, ADD_RESTRICTED, id=one, other=restricted)
    migrate(SCRIPTS, database_url)
    database = Database(database_address(Settings.model_construct(database_url=SecretStr(database_url))))
    try:
        assert [await republish_wanted(database) for _ in range(2)] == [2, 0]
    finally:
        await database.close()
    with engine.begin() as connection:
        bodies = connection.execute(text("select body from outbox order by id")).scalars().all()
    found = [decode(bytes(body)).data for body in bodies]
    assert {(one.id, one.address) for one in found if isinstance(one, FacilityV1)} == {
        (one, "68 Lê Duẩn"), (restricted, None),
    }  # fmt: skip
    engine.dispose()


NAMES = (
    "Đông Hà", "huyện đảo CỒN CỎ", "Ờ ở Ỡ 12 — «ß» 05", "Nguyễn Văn An", "An", "Ǹ ẃ Ỹ", "Trạm\\ số 3: 'a'",
    "Ａ Đ̣ 🎥", "0",
)  # fmt: skip
READ_KEYS = "select {0}, name_order from {1}"
RENAME = "update {0} set {1} = {1} || ' Ế'"
UNEQUAL = "select count(*) from teams t join teams_history h using (id, name) where t.name_order <> h.name_order"
WRITE = """
insert into teams (id, revision, created_at, changed_at, agency_id, code, name, search)
  values (:id, 1, now(), now(), :id, :code, :name, '');
insert into team_members (id, revision, created_at, changed_at, team_id, full_name, position, search)
  values (:id, 1, now(), now(), :id, :name, 'x', '')
"""


def test_names_that_an_older_service_writes_are_in_vietnamese_order(migrated_url: str, inventory_url: str) -> None:
    engine = create_engine(inventory_url, poolclass=NullPool)
    wanted = {"teams": ("name", order_key), "team_members": ("full_name", person_order_key)}

    def keys(table: str, name: str) -> dict[str, str]:
        with engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(text(READ_KEYS.format(name, table)))}

    for number, name in enumerate(NAMES):
        thing = uuid4()
        run(engine, ADD_AGENCY_CODED, id=thing, code=f"A-{number}")
        run(engine, WRITE, id=thing, code=f"T-{number}", name=name)
    for table, (column, key) in wanted.items():
        assert keys(table, column) == {name: key(name) for name in NAMES}
        run(engine, RENAME.format(table, column))
        assert keys(table, column) == {f"{name} Ế": key(f"{name} Ế") for name in NAMES}, "of another name another key"
    with engine.begin() as connection:
        assert connection.execute(text(UNEQUAL)).scalar() == 0
    engine.dispose()


def test_a_key_that_the_service_writes_is_not_made_again(migrated_url: str, inventory_url: str) -> None:
    engine = create_engine(inventory_url, poolclass=NullPool)
    run(engine, ADD_AGENCY_CODED, id=uuid4(), code="A")
    run(engine, "update agencies set name = 'Bộ', name_order = 'mine'")
    with engine.begin() as connection:
        assert connection.execute(text("select name_order from agencies")).scalar() == "mine"
    engine.dispose()


READ_SEARCHES = "select search, revision from {0}"


def test_names_of_before_with_another_d_are_found_and_stand_as_those_with_the_vietnamese_one(database_url: str) -> None:
    """U+00D0 stands on many keyboards, and shows as U+0110 does."""
    command.upgrade(config(SCRIPTS, database_url), "0017")
    engine = create_engine(database_url, poolclass=NullPool)
    run(engine, ADD_AGENCY_CODED, id=uuid4(), code="A")
    run(engine, "update agencies set name = '\u00d0ông Hà', search = 'a \u00f0ong ha \u0256', name_order = 'old'")
    migrate(SCRIPTS, database_url)
    with engine.begin() as connection:
        assert connection.execute(text(READ_SEARCHES.format("agencies"))).all() == [(fold("A \u00d0ông Hà \u0189"), 1)]
        history = connection.execute(text(READ_SEARCHES.format("agencies_history"))).all()
    assert [search for search, _ in history] == ["so", "a dong ha d"], history
    with engine.begin() as connection:
        for table in ("agencies", "agencies_history"):
            keys = connection.execute(text(READ_KEYS.format("name", table))).all()
            assert {row[1] for row in keys if row[0] != "Sở"} == {order_key("\u00d0ông Hà")}, table
    engine.dispose()
