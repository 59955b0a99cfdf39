"""Media in another container: out as RTMP, in from RTMP, HLS and MPEG-TS; nothing is ever coded anew."""
