"""The server side of RTSP 1.0 (RFC 2326) as cameras and monitoring centres speak it."""
