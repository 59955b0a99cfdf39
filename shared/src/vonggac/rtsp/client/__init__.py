"""RTSP clients: the two handshakes, one connection, and the sessions that come of them. One attempt; never retries."""
