"""A session that plays, on one connection: decisions of `session_state` carried out on a source of media."""

from collections.abc import Mapping
from typing import Protocol

from vonggac.rtsp.server.media_sender import MediaSender
from vonggac.rtsp.server.replies import Reply
from vonggac.rtsp.server.session_state import (
    Decision,
    Presentation,
    SessionState,
    Step,
    decide,
    play_reply,
    set_up_reply,
)
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.messages import Request


class PlayedSource(Protocol):
    """What a session plays: one per connection. No method may block."""

    def find_presentation(self, uri: str) -> Presentation | None:
        """Find what is at an address for this client; None is 404."""

    def refuse_session(self) -> Reply | None:
        """Return why no further session may be set up; None when it may."""

    def ssrc_of(self, track: int) -> int | None:
        """Find the sender of the track's packets; None while nobody knows it: then no answer names one."""

    def begin_media(self) -> Mapping[int, tuple[int, int]]:
        """Begin to send; return the sequence number and timestamp of each track's next packet, where they are clear."""

    def pause_media(self) -> None:
        """Send nothing more. Harmless when nothing is sent."""


class PlaySession:
    """At most one session a connection: its id opens nothing elsewhere."""

    def __init__(self, source: PlayedSource, sender: MediaSender, state: SessionState, policy: TransportPolicy) -> None:
        self._source = source
        self._sender = sender
        self._policy = policy
        self._presentation: Presentation | None = None
        self.state = state

    def reply_to(self, request: Request) -> Reply:
        """Answer a request of a client that has logged in."""
        found = self._source.find_presentation(request.uri)
        decision = decide(self.state, request, found, self._policy)
        if decision.step is Step.OPEN_TRACK:
            assert found is not None, "a track has an address"
            return self._open_track(decision, found)
        if decision.step is Step.PLAY:
            return self._play(request)
        if decision.step is Step.PAUSE:
            self._pause()
        elif decision.step is Step.END:
            self.end()
        return decision.reply

    def end(self) -> None:
        """End the session; the connection may set up another."""
        self._pause()
        self._sender.close()
        self.state = SessionState(self.state.session_id, self.state.timeout_s)

    def _open_track(self, decision: Decision, presentation: Presentation) -> Reply:
        refusal = self._source.refuse_session() if not self.state.tracks else None
        if refusal is not None:
            return refusal
        answer = self._sender.open_track(decision.track, decision.offers, self._source.ssrc_of(decision.track))
        if answer is None:
            return decision.reply
        self._presentation = presentation
        self.state = self.state.with_track(decision.track, answer)
        return set_up_reply(self.state, answer)

    def _play(self, request: Request) -> Reply:
        assert self._presentation is not None, "a session has tracks"
        self.state = self.state.with_playing(playing=True)
        begins = self._source.begin_media()
        return play_reply(self.state, self._presentation.base_of(request.uri), self._presentation, begins)

    def _pause(self) -> None:
        self.state = self.state.with_playing(playing=False)
        self._source.pause_media()
