"""HTTP, a file per noun. Times come in as ISO 8601 (without an offset: Vietnam time) and go out with +07:00."""

TAGS = {
    "present": "How all stands now, and what changes.",
    "compliance": "What is connected, per camera and in groups.",
    "availability": "Where the time went, by group and stretch of time, and what is left of the targets.",
    "overview": "A few numbers for a dashboard.",
    "outages": "When cameras and whole sites were down, and why.",
    "intervals": "The lines behind the figures.",
    "progress": "How far each facility is, in groups and in total, at any instant.",
    "obligations": "What is owed, by when, and what speaks for it.",
    "deviations": "What was agreed, beside what was observed.",
    "camera-security": "What is declared and was observed of cameras' security.",
    "inspections": "When each facility is to be inspected next.",
    "maintenance": "Time agreed beforehand.",
    "urging": "Who is urged about what, how, and what they answered (R11).",
    "actions": "Who urged, answered, froze, approved and issued.",
    "national": "The list that the Ministry reads, and the same for Prometheus.",
    "webhooks": "Who is sent what happens, and what became of each message.",
    "tables": "Every table for analysts, in four formats, and what its columns hold.",
    "lost facts": "What publishers numbered and never came.",
    "stream losses": "Which streams of the bus were gone, from when until when, and what fills them anew.",
    "clock steps": "When the clock of the bus was set back, and what time nobody can date.",
    "reports": "Frozen reports: signed, versioned, verified.",
    "issued papers": "Number, day and signed file of what was issued.",
    "charts": "Pictures of the figures, as SVG.",
}
"""The tags of the API, with what each is about."""
