"""Coded media as bytes: RTP and RTCP, access units, H.264 and H.265. Pure: no socket, no clock, no native library."""
