"""The network edge of every protocol: addresses and allowed networks, TLS, logins over HTTP and RTSP, errors.

Every failure is a `PeerError` with a `Cause`. Nothing here knows a protocol of media, and nothing retries.
"""
