"""HTTP: a file per noun, its schemas beside its routes."""

TAGS = {
    "deliveries": "How each camera stands at each destination; commands to stop, start and retry.",
    "cameras": "The deliveries of one camera.",
    "actions": "Who stopped and started deliveries.",
    "workers": "The forwarders that are alive.",
}
"""The tags of the API, with what each is about."""
