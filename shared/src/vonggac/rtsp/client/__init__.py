"""RTSP clients: two handshakes, one connection, and their sessions. One attempt; no retry."""
