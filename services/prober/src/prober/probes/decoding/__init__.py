"""Keyframes to pictures, in child processes with limits: libavcodec reads what foreign devices send."""
