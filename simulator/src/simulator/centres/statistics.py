"""What a centre counted, by stream: the same objects in a test and in the HTTP API."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class TrackStatistics(BaseModel):
    """RTP of one track within one publishing session."""

    model_config = ConfigDict(frozen=True)

    media: str
    codec: str
    packets: int
    bytes: int = Field(description="RTP packets with their headers.")
    lost: int = Field(description="Holes in the sequence numbers.")
    reordered: int = Field(description="Packets with a sequence number older than expected, duplicates included.")
    ssrc_changes: int


class SessionStatistics(BaseModel):
    """One publishing session, from RECORD to its end."""

    model_config = ConfigDict(frozen=True)

    started_at: datetime
    ended_at: datetime | None = Field(description="None while it lasts.")
    first_packet_at: datetime | None
    last_packet_at: datetime | None
    first_packet_is_keyframe: bool | None = Field(description="Of the video track; None before its first packet.")
    gap_s: float | None = Field(
        description="From the last packet of the session before to the first of this one; None if there was none."
    )
    packets: int
    bytes: int
    lost: int
    ssrc_changes: int
    tracks: list[TrackStatistics]


class StreamStatistics(BaseModel):
    """One path at a centre since the simulator's start or the last reset. Totals cover all sessions."""

    model_config = ConfigDict(frozen=True)

    path: str
    live: bool
    publisher_since: datetime | None
    sessions: int
    packets: int
    bytes: int
    lost: int
    ssrc_changes: int
    last_packet_at: datetime | None
    gaps_s: list[float] = Field(description="Gaps between the sessions of the history, oldest first.")
    viewers: int
    current: SessionStatistics | None
    history: list[SessionStatistics] = Field(description="Ended sessions, oldest first, bounded.")

    @property
    def all_sessions(self) -> list[SessionStatistics]:
        """History and the current session, oldest first."""
        return [*self.history, *([self.current] if self.current is not None else [])]
