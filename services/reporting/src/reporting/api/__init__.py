"""HTTP, a file per noun. Times come in as ISO 8601 (without an offset: Vietnam time) and go out with +07:00."""

TAGS = {
    "compliance": "What is connected, per camera and in groups.",
    "overview": "A few numbers for a dashboard.",
    "outages": "When cameras and whole sites were down, and why.",
    "intervals": "The lines behind the figures.",
    "maintenance": "Time agreed beforehand.",
    "lost facts": "What publishers numbered and never came.",
    "reports": "Frozen reports: signed, versioned, verified.",
    "charts": "Pictures of the figures, as SVG.",
}
"""The tags of the API, with what each is about."""
