"""Tables of the mandate: what the register says, revision by revision, and what format each camera was seen to send."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from reporting.storage.tables import metadata

register_record = Table(
    "register_record",
    metadata,
    Column("noun", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("facility_id", Uuid, index=True, comment="The facility that it is of, where it is of one"),
    Column("state", JSONB, comment="As the register published it, without people; null: removed"),
    Column("removed", Boolean, nullable=False, comment="The thing is gone from then on"),
    Column("created_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text),
    Column("reason", Text),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_to", DateTime(timezone=True), comment="The next revision's change; null while there is none"),
    Index("ix_register_record_valid_from", "noun", "valid_from"),
    comment="What the register says of the mandate: a row per revision, valid in [valid_from, valid_to)",
)

camera_format = Table(
    "camera_format",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("began_at", DateTime(timezone=True), primary_key=True, comment="The first probe that saw it"),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="The last probe that saw it, to 5 minutes"),
    Column("codec", Text),
    Column("profile", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("fps", Double),
    Column("bitrate_kbps", Double),
    Column("transport", Text, comment="tcp or udp"),
    comment="What each camera was seen to send; a row where it changed",
)

camera_security = Table(
    "camera_security",
    metadata,
    Column("camera_id", Uuid, primary_key=True),
    Column("sign", Text, primary_key=True, comment="login_scheme, device_asks_login or firmware"),
    Column("began_at", DateTime(timezone=True), primary_key=True, comment="The first probe that saw it"),
    Column("last_at", DateTime(timezone=True), nullable=False, comment="The last one, to six hours"),
    Column("value", Text, nullable=False),
    comment="What was observed of each camera's security; a row where it changed",
)
