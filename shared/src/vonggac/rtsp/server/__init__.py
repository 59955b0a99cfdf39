"""The server's half of RTSP 1.0 (RFC 2326): who may play, which session that makes, and how media goes out."""
