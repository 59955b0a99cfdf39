"""Tables that hold something already: what is on record stays as it was."""

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
