"""What the bus shows of itself: its clock, and streams that it lost."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Table, Text

from reporting.storage.tables import metadata

bus_clock = Table(
    "bus_clock",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False, comment="The message that was stored latest, by the server's clock"),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

clock_step = Table(
    "clock_step",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("last_before", BigInteger, primary_key=True, autoincrement=False, comment="Last message before the step"),
    Column("stored_at", DateTime(timezone=True), nullable=False, comment="When that one was stored"),
    Column("first_after", BigInteger, nullable=False, comment="First message seen after it"),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="From here on the time was shown twice"),
    Column("ended_at", DateTime(timezone=True), nullable=False, comment="Until here"),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    Column("refused", BigInteger, nullable=False, server_default="0", comment="Facts of that time that count nothing"),
    CheckConstraint("ended_at > started_at", name="ordered"),
    comment="The server's clock was set back: a message was stored before its predecessor",
)

stream_loss = Table(
    "stream_loss",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("consumer", Text, primary_key=True, comment="Empty: the stream itself"),
    Column("kind", Text, nullable=False, comment="gone, emptied or went_back"),
    Column("lost_from", DateTime(timezone=True), nullable=False, comment="What was stored since may be lost"),
    Column("lost_until", DateTime(timezone=True), primary_key=True, comment="When it stood again"),
    Column("messages", BigInteger, comment="So many it held when it was last seen"),
    Column("unread", BigInteger, comment="So many of them were not in these tables by then"),
    Column("filled_with", Text, nullable=False),
    comment="A stream, bucket or consumer that was gone, emptied or set back",
)
