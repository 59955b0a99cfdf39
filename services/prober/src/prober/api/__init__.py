"""HTTP: a file per noun, its schemas beside its routes."""

TAGS = {
    "cameras": "The latest probe of each camera, and its last failures.",
    "devices": "Which device is at a camera's address, and whether another one is.",
    "references": "The picture of a camera that a person approved.",
    "repetition": "Whether a camera shows a recording in a loop, and what people say of that.",
    "probes": "A probe now.",
    "verifications": "What destinations play: read-backs of deliveries.",
    "pictures": "A picture for a person: what a centre gives back, and what the camera sends.",
    "scans": "Search for cameras by ONVIF.",
    "demands": "Who had probers do what at which addresses.",
    "actions": "Who viewed pictures, and had what probed.",
    "networks": "Where this prober may connect to.",
    "workers": "The probers that are alive.",
    "prometheus": "Probes as Prometheus metrics.",
}
"""The tags of the API, with what each is about."""
