"""Pictures for people: what a centre gives back, and beside it what the camera sends."""
