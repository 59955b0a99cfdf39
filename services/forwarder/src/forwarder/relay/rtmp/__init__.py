"""RTMP as a client speaks it (Adobe's Real-Time Messaging Protocol 1.0, with the enhancements of veovera's E-RTMP v1).

Publishing and playing one live stream over TCP or TLS, on the event loop, without a native library: the address that
is connected to is the checked one, trust is the plan's, and what the peer's kernel acknowledged can be read.
"""
