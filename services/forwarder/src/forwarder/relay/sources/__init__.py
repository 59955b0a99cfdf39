"""Playing a camera: one attempt each, chosen by the scheme of its address. Never retries."""
