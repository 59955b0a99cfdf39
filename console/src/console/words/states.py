"""States, connections and causes in words, and what to do about a cause."""

from gettext import NullTranslations

from console.words.catalogue import ENGLISH, mark
from vonggac.events.advice import ADVICE
from vonggac.events.causes import CAUSE_NAMES, Cause

STATES = {
    "up": mark("Works"),
    "down": mark("Down"),
    "maintenance": mark("Maintenance"),
    "unknown": mark("Unknown"),
    "out_of_scope": mark("Out of scope"),
}
CONNECTIONS = {
    "both": mark("Both centres"),
    "national_only": mark("Ministry only"),
    "provincial_only": mark("Province only"),
    "neither": mark("Neither"),
    "unknown": mark("Not known"),
    "national": mark("The Ministry receives"),
    "provincial": mark("The province receives"),
    "not_national": mark("The Ministry lacks"),
    "not_provincial": mark("The province lacks"),
}
COMPLIANCE = {
    "compliant": mark("As the directive asks"),
    "non_compliant": mark("Not as the directive asks"),
    "unknown": mark("Not known"),
}
DELIVERIES = {
    "verified": mark("Proven by read-back"),
    "acknowledged": mark("Acknowledged"),
    "sending": mark("Sending"),
    "connecting": mark("Connecting"),
    "waiting_for_camera": mark("Waits for the camera"),
    "waiting_for_centre": mark("Waits for the centre to ask"),
    "stalled": mark("Stalled"),
    "backing_off": mark("Tries again"),
    "refused": mark("Login refused"),
    "mismatch": mark("Plays another picture"),
    "stopped": mark("Stopped by a person"),
    "released": mark("Handed to another worker"),
    "not_asked": mark("Does not ask for it"),
    "disabled": mark("Switched off"),
    "unknown": mark("Not known"),
    "connected": mark("Receives"),
    "not_connected": mark("Does not receive"),
    "maintenance": mark("Maintenance"),
    "out_of_scope": mark("Out of scope"),
}
CALLS = {
    "answered": mark("answered"),
    "no_answer": mark("did not answer"),
    "will_see_to_it": mark("will see to it"),
}
"""How a call ended."""
SERVICES = {
    "inventory": mark("The register"),
    "reporting": mark("Reporting"),
    "prober": mark("The prober"),
    "forwarder": mark("The forwarder"),
}
ROLES = {"national": mark("Ministry"), "provincial": mark("Province")}
_OTHER_CAUSES = {
    "switched_off": mark("Switched off by agreement"),
    "being_connected": mark("Being connected"),
    "none": mark("No cause"),
}


def name_cause(cause: str | None, language: str, words: NullTranslations) -> str:
    """Name a cause in words: Vietnamese as the reports have it; in English the code with spaces. "" without one."""
    if cause is None:
        return ""
    if cause in _OTHER_CAUSES:
        return words.gettext(_OTHER_CAUSES[cause])
    if language == ENGLISH:
        return cause.replace("_", " ")
    return CAUSE_NAMES.get(cause, cause.replace("_", " "))


def advise(cause: str | None, language: str) -> str:
    """Advise what to do about it, "" where nobody knows."""
    try:
        advice = ADVICE[Cause(cause)] if cause else None
    except (ValueError, KeyError):
        return ""
    if advice is None:
        return ""
    return advice.en if language == ENGLISH else advice.vi


def name_in(table: dict[str, str], key: str | None, words: NullTranslations) -> str:
    """Find a word of a table; one of a newer release stays as it is."""
    if key is None:
        return ""
    return words.gettext(table[key]) if key in table else key.replace("_", " ")
